import { command } from '../../command.ts';
import { block } from '../../terminal/shown.ts';

const TEXT = `An agent inside its attempt speaks to Baton with these. All take --json.

  baton task check                         what the task is, with its inputs (resolved_inputs)
  baton task progress "text" --percent 40  how far it is
  baton task note "text"                   something worth knowing
  baton task ask "question" --option a --option b --default a --timeout 600
                                           asks a person; prints the answer when it is there
  baton task output set KEY FILE           hands on a contract (- reads standard input)
  baton task artifact add FILE             hands in a file
  baton task spawn "what to do" --key NAME hands work on to another agent
  baton task children                      what was handed on, and how far it is
  baton task await [KEY...]                ends the turn; you are resumed with what they came to
  baton task done "summary"                hands in the result
  baton task fail "why"                    says that it cannot be done

Inputs lie in .baton/inputs/<name>.json too. Where commands cannot be run, write
.baton/outputs/<key>.json and .baton/result.json instead; they are read at the end.

Which word for doing it again:

  retry      new attempt of an ended task, same id, with its last failure in its prompt
  relaunch   puts a task of any status back to the start, same id; a live agent is stopped
  rerun      makes a new linked task, same engine, role and worker, clean start
  resume     goes on with a paused task, in its old workspace and conversation
  review     --changes "what" has finished work done again, in the same conversation`;

export const taskHelp = command({
  name: ['task', 'help'],
  summary: 'how an agent speaks to Baton, and which word means which way of doing it again',
  async run() {
    return { json: { help: TEXT }, text: block(TEXT) };
  },
});
