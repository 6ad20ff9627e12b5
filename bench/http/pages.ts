/**
 * The pages that every contestant serves: so many, of about 10 KB, at `/posts/0` and so on.
 *
 * @module
 */

/** How many there are. */
export const PAGES = 1000;

/** What every answer carries besides its tag. Not `no-cache`: a cached handler would not keep such a page. */
export const CACHE_CONTROL = "public, max-age=60";

const paragraph = "<p>Some text of a page that is about as long as pages of a site usually are.</p>\n";

const bodies = Array.from({ length: PAGES }, (_, n) => `<h1>Post ${n}</h1>\n${paragraph.repeat(125)}`);

/** The page of a path or URL that ends with its number. */
export function bodyOf(url: string): string {
  return bodies[Number(url.slice(url.lastIndexOf("/") + 1))] ?? "";
}

/** The document that a page is made of. */
export function documentOf(url: string): { readonly _id: string; readonly _rev: string } {
  return { _id: `post-${url.slice(url.lastIndexOf("/") + 1)}`, _rev: "1-967a00dff5e02add41819138abb3284d" };
}
