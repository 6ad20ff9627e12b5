/** Whether `withEtag` takes the option `current`; until it does, unsafe methods are asked of `evaluatePreconditions`. */
export const CURRENT_OPTION: boolean = false;
