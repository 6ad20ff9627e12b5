/**
 * The blog in a relational database: a table of posts, a table of authors, and one join for a page. A row is given the `_id`
 * of its key and, as `_rev`, the digest of what was read of it.
 */
import { row } from "../../mod.ts";
import type { Author, Post, Stored } from "./documents.ts";
import { sampleAuthors, samplePosts } from "./sample.ts";
import type { SeedOptions } from "./seed.ts";
import { conflict, type SignedPost, type Store } from "./store.ts";

/** A client: runs one statement with parameters `$1`, `$2`, and gives its rows. */
export type Sql = (text: string, ...parameters: (string | number)[]) => Promise<readonly Row[]>;

/** Every column is text, and none is null but those of an author who does not exist. */
type Row = Readonly<Record<string, string | null>>;

/** What is followed, by key. */
export const tables: Readonly<Record<string, readonly string[]>> = { posts: ["id"], authors: ["id"] };

/** The id of the document that a changed row is, as the feed of such tables names it: `posts/post-1`, or the table. */
export function documentOf(id: string): string {
  return id.replace(/^(?:posts|authors)\//, "");
}

const postColumns = ["id", "title", "published", "author_id", "tags", "body"];
const authorColumns = ["id", "name", "about"];

function postOf(record: Row): Stored<Post> {
  const read = only(record, postColumns);
  const { id, title, published, author_id, tags, body } = read;
  return {
    _id: id!,
    _rev: row("posts", read)._rev,
    title: title!,
    published: published!,
    author: author_id!,
    tags: JSON.parse(tags!),
    body: body!,
  };
}

function authorOf(record: Row): Stored<Author> {
  const read = only(record, authorColumns);
  return { _id: read["id"]!, _rev: row("authors", read)._rev, name: read["name"]!, about: read["about"]! };
}

/** The digest of a row is that of its columns in their order. */
function only(record: Row, columns: readonly string[], prefix = ""): Row {
  return Object.fromEntries(columns.map((column) => [column, record[prefix + column]!]));
}

function signed(record: Row): SignedPost {
  const author = record["author.id"] === null ? undefined : authorOf(only(record, authorColumns, "author."));
  return { post: postOf(record), author };
}

/** A post as the row that it becomes. */
function rowOf({ _id, title, published, author, tags, body }: Post): string[] {
  return [_id, title, published, author, JSON.stringify(tags), body];
}

const signedColumns = [
  ...postColumns.map((column) => `p.${column}`),
  ...authorColumns.map((column) => `a.${column} as "author.${column}"`),
].join(", ");
const join = `select ${signedColumns} from posts p left join authors a on a.id = p.author_id`;

/** Opens the store. */
export function sqlStore(sql: Sql): Store {
  /** The row as it is, if it is at that revision. */
  async function current(id: string, rev: string): Promise<Row> {
    const [found] = await sql(`select ${postColumns} from posts where id = $1`, id);
    if (found === undefined || postOf(found)._rev !== rev) throw conflict();
    return found;
  }
  return {
    async post(id) {
      const [found] = await sql(`select ${postColumns} from posts where id = $1`, id);
      return found === undefined ? null : postOf(found);
    },
    async signedPost(id) {
      const [found] = await sql(`${join} where p.id = $1`, id);
      return found === undefined ? null : signed(found);
    },
    async signedPosts(limit, from = "post-\ufff0") {
      const found = await sql(`${join} where p.id <= $1 order by p.id desc limit ${Number(limit)}`, from);
      return found.map(signed);
    },
    async put(post) {
      const values = rowOf(post);
      const written = post._rev === undefined
        ? await sql(
          `insert into posts (${postColumns}) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning *`,
          ...values,
        )
        : await sql(
          // The row must still be what was read of it: so no write in between is lost, without a transaction.
          `update posts set title = $1, published = $2, author_id = $3, tags = $4, body = $5
            where id = $6 and title = $7 and published = $8 and author_id = $9 and tags = $10 and body = $11 returning *`,
          ...values.slice(1),
          ...Object.values(await current(post._id, post._rev)) as string[],
        );
      if (written.length === 0) throw conflict();
      return postOf(written[0]!)._rev;
    },
    async delete(id, rev) {
      const deleted = await sql(
        `delete from posts where id = $1 and title = $2 and published = $3 and author_id = $4 and tags = $5 and body = $6
          returning id`,
        ...Object.values(only(await current(id, rev), postColumns)) as string[],
      );
      if (deleted.length === 0) throw conflict();
    },
  };
}

/** What differs between databases where tables are made. */
export interface Tables {
  readonly sql: Sql;
  /** Runs several statements. */
  readonly exec: (text: string) => unknown;
  /** How a column says that text is compared byte by byte: the newest posts are a range of ids. */
  readonly binary: string;
  /** A statement that fails where the migration has not been run. */
  readonly migrated: string;
  /** What the feed needs in the database, once the tables are there. */
  readonly migrate: () => string;
}

/** Makes the tables, and fills them if they are empty. Returns true if they were. */
export async function seedTables(
  { sql, exec, binary, migrated, migrate }: Tables,
  { posts = 3_000, authors = 100, onProgress }: SeedOptions = {},
): Promise<boolean> {
  if (!await succeeds(() => sql("select id from posts limit 1")) || !await succeeds(() => sql(migrated))) {
    for (const [table, columns] of [["posts", postColumns], ["authors", authorColumns]] as const) {
      const others = columns.slice(1).map((column) => `${column} text not null`);
      await exec(`create table if not exists ${table} (id text ${binary} primary key, ${others})`);
    }
    await exec(migrate());
  }
  if ((await sql("select id from posts limit 1")).length > 0) return false;
  const rows = [
    ...sampleAuthors(authors).map(({ _id, name, about }) => ["authors", [_id, name, about]] as const),
    ...samplePosts(posts, authors).map((post) => ["posts", rowOf(post)] as const),
  ];
  await exec("begin");
  try {
    for (const [index, [table, values]] of rows.entries()) {
      await sql(`insert into ${table} values (${values.map((_, at) => `$${at + 1}`)})`, ...values);
      if ((index + 1) % 500 === 0 || index + 1 === rows.length) onProgress?.(index + 1, rows.length);
    }
    await exec("commit");
  } catch (error) {
    await exec("rollback");
    throw error;
  }
  return true;
}

async function succeeds(task: () => Promise<unknown>): Promise<boolean> {
  try {
    await task();
    return true;
  } catch {
    return false;
  }
}
