/** Whether `<root>/dist` is missing or older than a source. */
export function isStale(root: string): boolean;
