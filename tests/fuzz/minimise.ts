/** Making a failing input small. */

/**
 * The shortest text found by leaving out a stretch, as long as it still fails: halves first, single characters last.
 *
 * @param fails Whether a text is still a finding.
 */
export function minimiseText(text: string, fails: (text: string) => boolean): string {
  let smallest = text;
  for (let length = text.length >> 1; length > 0; length >>= 1) {
    for (let at = 0; at + length <= smallest.length;) {
      const shorter = smallest.slice(0, at) + smallest.slice(at + length);
      if (fails(shorter)) smallest = shorter;
      else at++;
    }
  }
  return smallest;
}
