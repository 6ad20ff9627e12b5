/** The library is not where a step of the model needs it. */
export class Impossible extends Error {}
