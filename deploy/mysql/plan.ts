import type { DatabaseFacts } from './facts.ts';
import type { Section, Setting } from './setting.ts';
import { accessSection } from './settings/access.ts';
import { connectionsSection } from './settings/connections.ts';
import { diskSection } from './settings/disk.ts';
import { memorySection } from './settings/memory.ts';
import { redoSection } from './settings/redo.ts';
import { textAndLogsSection } from './settings/text-and-logs.ts';
import { isKnown } from './variables.ts';

/** The configuration for these facts, as data, in the order of the file. Holds only what this engine and version know. */
export function planConfig(facts: DatabaseFacts): Section[] {
  const sections = [
    memorySection(facts),
    redoSection(facts),
    diskSection(facts),
    connectionsSection(facts),
    textAndLogsSection(facts),
    accessSection(facts),
  ];
  return sections.map((section) => ({
    ...section,
    settings: section.settings.filter(({ name }) => isKnown(name, facts)),
  }));
}

/** All settings of a plan. */
export function settingsOf(plan: readonly Section[]): Setting[] {
  return plan.flatMap(({ settings }) => settings);
}
