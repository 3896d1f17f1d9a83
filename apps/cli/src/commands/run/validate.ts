import { resolve } from 'node:path';
import { command, required } from '../../command.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { pairs } from '../../option.ts';
import { readWorkflow } from '../../plan/read-workflow.ts';
import { validationPage } from '../../views/validation-view.ts';

export const runValidate = command({
  name: ['run', 'validate'],
  summary: 'check a plan file without starting anything',
  arguments: { file: required('a plan, such as baton.yaml') },
  options: { param: pairs('--param <k=v>', 'value of a parameter') },
  async run({ client, cwd }, { file }, { param }) {
    const body = readWorkflow(resolve(cwd, file), { params: param });
    const checked = await client().runs.validate(body);
    return {
      json: checked,
      text: validationPage(checked),
      exitCode: checked.ok ? EXIT_CODES.ok.code : EXIT_CODES.refused.code,
    };
  },
});
