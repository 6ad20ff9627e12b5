/** Creates and fills the blog's database where it is absent. */
import nano from "nano";
import { sampleAuthors, samplePosts } from "./sample.ts";
import { locate } from "./couch_source.ts";

/** How much to fill in, and a callback for the progress. */
export interface SeedOptions {
  /** Default 3,000. */
  readonly posts?: number;
  /** Default 100, which is also the most there are. */
  readonly authors?: number;
  /** Called after each step with the documents written so far and in all. */
  readonly onProgress?: (written: number, total: number) => void;
}

const documentsPerRequest = 500;

/** Returns true if the database was absent; one that exists is left as it is. */
export async function seed(url: URL, options: SeedOptions = {}): Promise<boolean> {
  const { server, name } = locate(url);
  const couch = nano(server.href);
  if (await exists(couch, name)) return false;
  await couch.db.create(name);
  const { posts = 3_000, authors = 100, onProgress } = options;
  const documents = [...sampleAuthors(authors), ...samplePosts(posts, authors)];
  try {
    for (let start = 0; start < documents.length; start += documentsPerRequest) {
      const docs = documents.slice(start, start + documentsPerRequest);
      await couch.use(name).bulk({ docs });
      onProgress?.(start + docs.length, documents.length);
    }
  } catch (error) {
    // A database that is half full would be taken for a finished one the next time.
    await couch.db.destroy(name);
    throw error;
  }
  return true;
}

async function exists(couch: nano.ServerScope, name: string): Promise<boolean> {
  try {
    await couch.db.get(name);
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}
