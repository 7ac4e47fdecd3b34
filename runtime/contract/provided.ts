/** A module that workers give to the functions they load. */
export interface ProvidedModule {
  /** Key of the registered symbol under which the worker's global object has what loads it. */
  symbol: string;
  exports: readonly string[];
}

/** The modules that a bundle leaves to the worker, by the name in an import. */
export const providedModules: Readonly<Record<string, ProvidedModule>> = {
  'fnrun/mysql': { symbol: 'fnrun.mysql', exports: ['pool', 'callbackPool', 'database', 'transaction'] },
};
