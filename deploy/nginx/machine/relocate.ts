import { directive, type Directive, type Item, type NginxFile, type Word } from '../directive.ts';

/** Where a configuration is tried: nothing of the machine's own nginx is touched. */
export interface Scratch {
  /** Absolute path of an empty folder. */
  dir: string;
  /** Whether nginx is started by root, who may choose a user. */
  isRoot: boolean;
  /** The address that stands for one of the configuration, such as `443` or `[::]:80`. @default a socket in `dir` */
  address?: (of: string) => string;
}

/** Files that nginx makes for itself, by the directives that say where. */
const tempPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * The same configuration with its process id, logs, temporary files and addresses within `dir`; all that nginx
 * judges stays as it is.
 */
export function relocate({ name, items }: NginxFile, { dir, isRoot, address }: Scratch): NginxFile {
  const socketOf = (of: string): string => `unix:${dir}/${of.replaceAll(/[^0-9]+/g, '_')}.sock`;
  const moved = (item: Item): Item[] => {
    if (!('name' in item)) return [item];
    const [first, ...rest] = item.words ?? [];
    const to = (word: Word): Directive => ({ ...item, words: [word, ...rest] });
    switch (item.name) {
      case 'user':
        return isRoot ? [item] : [];
      case 'pid':
        return [to({ text: `${dir}/nginx.pid` })];
      case 'error_log':
        return [to({ text: `${dir}/error.log` })];
      case 'access_log':
        return [to({ text: `${dir}/access.log` })];
      case 'listen':
        return [to({ text: (address ?? socketOf)(typeof first === 'string' ? first : '') })];
      case 'http':
        return [{ ...item, block: [...tempPaths.map(tempPath), ...(item.block ?? []).flatMap(moved)] }];
      default:
        return [item.block === undefined ? item : { ...item, block: item.block.flatMap(moved) }];
    }
  };
  const tempPath = (of: string): Directive => directive(`${of}_temp_path`, [{ text: `${dir}/tmp/${of}` }]);
  return { name, items: items.flatMap(moved) };
}
