/** Who changes the documents: behind the site's back as a rule, sometimes through it. */
import type { Author, Post } from "../../examples/blog/documents.ts";
import { samplePosts } from "../../examples/blog/sample.ts";
import type { TestDatabase } from "../examples/database_support.ts";
import type { Random } from "../simulation/random.ts";
import type { State } from "./copy.ts";
import type { Ledger } from "./ledger.ts";

type Document = Post | Author;
type Fetch = (request: Request) => Response | Promise<Response>;

/** How often each happens. */
const kinds = { editPost: 55, editAuthor: 15, editThroughSite: 15, togglePost: 10, toggleAuthor: 5 };

/** Writes one document after another, each in line with what the ledger knows of it. */
export class Writers {
  readonly #database: TestDatabase;
  readonly #site: Fetch;
  readonly #ledger: Ledger;
  readonly #random: Random;
  /** Content by id, without revisions. */
  readonly #contents: ReadonlyMap<string, Document>;
  readonly #posts: readonly string[];
  readonly #authors: readonly string[];
  #count = 0;

  constructor(
    database: TestDatabase,
    site: Fetch,
    ledger: Ledger,
    random: Random,
    documents: readonly Document[],
  ) {
    this.#database = database;
    this.#site = site;
    this.#ledger = ledger;
    this.#random = random;
    const [template] = samplePosts(1, 1);
    // Newer than all others, so that they come and go on the first page.
    const late = Array.from(
      { length: 6 },
      (_, index) => ({ ...template!, _id: `post-2026-11-2${index + 1}-late` }),
    );
    const all: readonly Document[] = [...documents, ...late];
    this.#contents = new Map(all.map((document) => [document._id, document]));
    const ids = [...this.#contents.keys()];
    this.#posts = ids.filter((id) => id.startsWith("post-"));
    this.#authors = ids.filter((id) => id.startsWith("author-"));
  }

  /** Who wrote a post: it never changes hands. */
  authorOf(post: string): string {
    return (this.#contents.get(post) as Post).author;
  }

  /** Writes one document, unless somebody is at it already. */
  async write(): Promise<void> {
    const kind = this.#random.weighted(kinds);
    const id = this.#random.pick(kind.endsWith("Author") ? this.#authors : this.#posts);
    if (this.#ledger.isBusy(id)) return;
    const state = this.#ledger.state(id);
    const own = kind === "editThroughSite" && state !== null;
    const remove = kind.startsWith("toggle") && state !== null;
    await this.#ledger.write(
      id,
      own,
      () => own ? this.#throughSite(id, state) : this.#directly(id, state, remove),
    );
  }

  async #directly(id: string, state: State, remove: boolean): Promise<State> {
    const body = { ...this.#edited(id), ...(state === null ? {} : { _rev: state }) };
    const response = await this.#database.ask(`/${id}`, sent(remove ? { ...body, _deleted: true } : body));
    const { rev } = await answered(response);
    return remove ? null : rev;
  }

  async #throughSite(id: string, state: string): Promise<State> {
    const init = sent(this.#edited(id), { "if-match": `"${state}"` });
    const request = new Request(`http://localhost/api/posts/${id}`, init);
    return (await answered(await this.#site(request))).rev;
  }

  #edited(id: string): Document {
    const text = `Edition ${++this.#count}`;
    const content = this.#contents.get(id)!;
    return "title" in content ? { ...content, title: text } : { ...content, name: text };
  }
}

function sent(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "PUT",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  };
}

async function answered(response: Response): Promise<{ readonly rev: string }> {
  const text = await response.text();
  if (!response.ok) throw new Error(`a write was refused: ${response.status} ${text}`);
  return JSON.parse(text);
}
