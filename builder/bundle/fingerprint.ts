import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { compareText } from '../problem.ts';
import { hashOf, sha256 } from '../hash.ts';
import { pacer } from '../pace.ts';
import type { Graph } from './graph.ts';

/** A path and the hash of what is there. */
export type Stamp = readonly [path: string, hash: string];

/** A graph with the state that its files and folders had. Equal stamps: the graph still holds. */
export interface StampedGraph {
  inputs: Stamp[];
  folders: Stamp[];
  /** Files that apply to its inputs by where they lie: package.json, tsconfig.json. */
  configs: Stamp[];
}

/** Files that change how esbuild reads the sources beside and below them. */
const configNames = ['package.json', 'tsconfig.json', 'jsconfig.json'];

/** Hash of an absent file or folder. */
const absent = '-';

/** Hashes files and folders below `root` (a real path), each once. Make a new one for each look at the disk. */
export class Fingerprint {
  readonly #root: string;
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  readonly #names = new Map<string, string[] | null>();
  readonly #pace = pacer();

  constructor(root: string) {
    this.#root = root;
  }

  /** Stamps a graph, with the configuration files that apply to its inputs. */
  async stamp(graph: Graph): Promise<StampedGraph> {
    const configs = await this.#configs(graph.inputs);
    return { inputs: await this.#stampFiles(graph.inputs), folders: await this.#stampFolders(graph.folders), configs };
  }

  /** Whether everything is as it was when `stamped` was made. */
  async holds(stamped: StampedGraph): Promise<boolean> {
    if (!(await this.sameInputs(stamped))) return false;
    for (const [path, hash] of stamped.folders) {
      await this.#pace();
      if (this.#folder(path) !== hash) return false;
    }
    const configs = await this.#configs(stamped.inputs.map(([path]) => path));
    return hashOf(configs) === hashOf(stamped.configs);
  }

  /** Whether the files are as they were; folders and configurations may have changed. */
  async sameInputs(stamped: StampedGraph): Promise<boolean> {
    for (const [path, hash] of stamped.inputs) {
      await this.#pace();
      if (this.#file(path) !== hash) return false;
    }
    return true;
  }

  /** Inputs that are links out of the app, with where they lead. */
  async escapes(graphs: Iterable<StampedGraph>): Promise<Map<string, string>> {
    const escapes = new Map<string, string>();
    const paths = new Set([...graphs].flatMap(({ inputs }) => inputs.map(([path]) => path)));
    for (const path of paths) {
      await this.#pace();
      const real = realpathSync.native(join(this.#root, path));
      if (!real.startsWith(this.#root + sep)) escapes.set(path, real);
    }
    return escapes;
  }

  async #stampFiles(paths: readonly string[]): Promise<Stamp[]> {
    const stamps: Stamp[] = [];
    for (const path of paths) {
      await this.#pace();
      stamps.push([path, this.#file(path)]);
    }
    return stamps;
  }

  async #stampFolders(paths: readonly string[]): Promise<Stamp[]> {
    const stamps: Stamp[] = [];
    for (const path of paths) {
      await this.#pace();
      stamps.push([path, this.#folder(path)]);
    }
    return stamps;
  }

  /** The configuration files in the folders of `inputs` and above. */
  #configs(inputs: readonly string[]): Promise<Stamp[]> {
    const folders = new Set(inputs.flatMap(foldersOf));
    const files = [...folders].flatMap((folder) => {
      const names = this.#list(folder);
      return configNames
        .filter((name) => names?.includes(name) === true)
        .map((name) => (folder === '.' ? name : `${folder}/${name}`));
    });
    return this.#stampFiles(files.toSorted(compareText));
  }

  #file(path: string): string {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    let hash = absent;
    try {
      hash = sha256(readFileSync(join(this.#root, path)));
    } catch {
      // A file that cannot be read is esbuild's to complain of.
    }
    this.#files.set(path, hash);
    return hash;
  }

  #folder(path: string): string {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const names = this.#list(path);
    const hash = names === null ? absent : hashOf(names);
    this.#folders.set(path, hash);
    return hash;
  }

  #list(path: string): string[] | null {
    const known = this.#names.get(path);
    if (known !== undefined) return known;
    let names: string[] | null = null;
    const siblings = path === '.' ? null : this.#names.get(dirname(path));
    if (siblings === undefined || siblings === null || siblings.includes(basename(path))) {
      try {
        names = readdirSync(join(this.#root, path)).toSorted(compareText);
      } catch {
        // Absent, or a file.
      }
    }
    this.#names.set(path, names);
    return names;
  }
}

function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === '.') return folders;
  }
}
