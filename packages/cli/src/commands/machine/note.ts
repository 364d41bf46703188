import { randomUUID } from 'node:crypto';
import type { SkoloCommand } from '../../command.ts';
import { folded } from '../../names.ts';
import { machineState } from '../../reach/service-client.ts';
import { withRetries } from '../power/request.ts';
import { addChangeSelection, type ChangeOptions, selectForChange } from './selection.ts';

/** `skolo machine note`: adds a note to machines. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Adds a note, such as an observation or a repair, to the history of one or more machines, with the time and your name. The last argument is the text of the note. To see notes, use skolo machine history.',
    )
    .summary("add a note to machines' history")
    .usage('[options] <names...> <text>')
    .argument('<names...>', 'machines, followed by the text of the note');
  addChangeSelection(command);
  command
    .uses('rack', 'url', 'tokenFile')
    .example("skolo machine note skia-rpi2-rack4-shelf1-007 'new phone cable'");

  command.action(async (words: string[], options: ChangeOptions) => {
    const text = words.at(-1) ?? '';
    const service = machineState(command);
    const { machines } = await selectForChange(command, service, words.slice(0, -1), options);
    const names = machines.map(({ name }) => name);
    const body = { machines: names, text };
    const headers = { 'idempotency-key': randomUUID() };
    await service.ask((client) => withRetries(command.io, () => client.addNote({ body, headers })));
    command.io.err(`${folded(names)}: noted`);
  });
}
