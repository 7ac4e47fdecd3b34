import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { compareText } from '../problem.ts';
import { hashOf, sha256 } from '../hash.ts';
import type { Graph } from './graph.ts';

/** A path and the hash of what is there. */
export type Stamp = readonly [path: string, hash: string];

/** A graph with the state that its files and folders had. Equal stamps: the graph still holds. */
export interface StampedGraph {
  inputs: Stamp[];
  folders: Stamp[];
}

/** Files that change how esbuild reads the sources beside and below them. */
const configFiles = ['package.json', 'tsconfig.json', 'jsconfig.json'];

/** Hash of an absent file or folder. */
const absent = '-';

/** Hashes files and folders below `root`, each once. Make a new one for each look at the disk. */
export class Fingerprint {
  readonly #root: string;
  /** The folder in which all real paths must lie. */
  readonly #realRoot: string;
  readonly #known = new Map<string, Promise<string>>();
  /** Inputs whose real path lies outside the app. */
  readonly escapes = new Map<string, string>();

  constructor(options: { root: string; realRoot: string }) {
    this.#root = options.root;
    this.#realRoot = options.realRoot;
  }

  file(path: string): Promise<string> {
    return this.#once(`file:${path}`, async () => {
      try {
        const at = join(this.#root, path);
        const [content, real] = await Promise.all([readFile(at), realpath(at)]);
        if (!real.startsWith(this.#realRoot + sep)) this.escapes.set(path, real);
        return sha256(content);
      } catch {
        return absent;
      }
    });
  }

  folder(path: string): Promise<string> {
    return this.#once(`folder:${path}`, async () => {
      const names = await readdir(join(this.#root, path)).catch(() => null);
      return names === null ? absent : hashOf(names.toSorted(compareText));
    });
  }

  /** Stamps a graph, with the configuration files that apply to its inputs. */
  async stamp(graph: Graph): Promise<StampedGraph> {
    const files = [...new Set([...graph.inputs, ...graph.inputs.flatMap(configsOf)])].toSorted(compareText);
    return {
      inputs: await Promise.all(files.map(async (path): Promise<Stamp> => [path, await this.file(path)])),
      folders: await Promise.all(graph.folders.map(async (path): Promise<Stamp> => [path, await this.folder(path)])),
    };
  }

  /** Whether everything is as it was when `stamped` was made. */
  async holds(stamped: StampedGraph): Promise<boolean> {
    const files = stamped.inputs.map(async ([path, hash]) => (await this.file(path)) === hash);
    const folders = stamped.folders.map(async ([path, hash]) => (await this.folder(path)) === hash);
    return (await Promise.all([...files, ...folders])).every(Boolean);
  }

  #once(key: string, make: () => Promise<string>): Promise<string> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }
}

function configsOf(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === '.') return folders.flatMap((each) => configFiles.map((name) => (each === '.' ? name : `${each}/${name}`)));
  }
}
