import type { ReactNode } from "react";
import { writeNote } from "../database.ts";
import { registry } from "../registry.ts";

/** Writes a note. What was built from it is void at once, without waiting for the feed. */
async function save(form: FormData): Promise<void> {
  "use server";
  const id = String(form.get("id"));
  try {
    await writeNote(id, String(form.get("text")));
  } finally {
    // Also after an error: the database may have written before the connection broke.
    registry.invalidate(id);
  }
}

export default function Page(): ReactNode {
  return (
    <form action={save}>
      <input name="id" defaultValue="milk" />
      <input name="text" defaultValue="Oat milk." />
      <button type="submit">Save</button>
    </form>
  );
}
