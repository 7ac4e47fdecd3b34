const journaling = new Set(['ext4', 'xfs']);
const timesOptions = /^(noatime|relatime|strictatime|atime|lazytime)$/;

/**
 * The text of /etc/fstab with `noatime` for the root, when it is ext4 or xfs and says nothing, or `relatime`, the default; any
 * other line and all spacing stay as they are. Null: nothing is to change.
 */
export function addNoatime(text: string): string | null {
  const lines = text.split('\n').map((line) => {
    const fields = /^(?<begin>\s*[^\s#]\S*\s+\/\s+(?<type>\S+)\s+)(?<options>\S+)(?<end>.*)$/.exec(line)?.groups;
    if (fields === undefined || !journaling.has(fields['type'] ?? '')) return line;
    const options = (fields['options'] ?? '').split(',');
    // What somebody has decided otherwise stays.
    if (options.some((option) => timesOptions.test(option) && option !== 'relatime')) return line;
    const kept = options.filter((option) => option !== 'relatime');
    return `${fields['begin']}${[...kept, 'noatime'].join(',')}${fields['end']}`;
  });
  const changed = lines.join('\n');
  return changed === text ? null : changed;
}

/** The text of /etc/fstab with the swap file at its end; null: it is there. */
export function addSwap(text: string, path: string): string | null {
  const there = text.split('\n').some((line) => line.trimStart().split(/\s+/)[0] === path);
  if (there) return null;
  const begin = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  // A machine without its swap file still has to start.
  return `${begin}${path} none swap sw,nofail 0 0\n`;
}
