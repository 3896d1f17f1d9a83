import type { RunGraph } from '@baton/contract';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { chromiumPath, openDashboard, restingPlace } from './support/browser.ts';
import { joinHttpWorker, type HeldAttempt } from './support/http-worker.ts';
import { taskOf, byKey, eventsOf } from './support/run.ts';
import { startTower, until, type Tower } from './support/tower.ts';

const PATCH = `diff --git a/greeting.txt b/greeting.txt
new file mode 100644
index 0000000..3b18e51
--- /dev/null
+++ b/greeting.txt
@@ -0,0 +1,2 @@
+hello
+<b>world</b>
`;

/** Presses `g` and a key; again where a busy machine let too long pass between the two. */
async function chord(page: Page, key: string, wanted: Locator): Promise<void> {
  await until(`g ${key} leads where it should`, async () => {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    return wanted.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    );
  });
}

/** Two tasks, the second behind the first. */
function submitPair(tower: Tower): Promise<RunGraph> {
  return tower.client.runs.create({
    goal: 'Greet the world',
    deliver: 'none',
    plan: {
      tasks: [
        {
          key: 'write',
          title: 'Write the greeting',
          role: 'implementer',
          needs: { engine: 'claude' },
        },
        { key: 'check', title: 'Check the greeting', role: 'verifier', needs: { engine: 'shell' } },
      ],
      dependencies: [{ upstream: 'write', downstream: 'check' }],
    },
  });
}

describe.skipIf(chromiumPath === undefined)(
  'the dashboard (skipped without BATON_TEST_CHROMIUM)',
  () => {
    test('a login link opens it once, and then says how to get another', async () => {
      const tower = await startTower();
      const { page, context, faults } = await openDashboard(tower);
      await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
      await page.getByText('baton run').first().waitFor();
      expect(faults).toEqual([]);

      const { login_url: link } = await tower.client.keys.loginLink();
      const second = await context.newPage();
      await second.goto(link);
      await second.waitForURL('**/runs');
      expect(second.url()).not.toContain('#');
      await context.clearCookies();
      await second.goto(`${tower.url}/inbox`);
      await second.waitForURL('**/login**');
      await second.getByText('This dashboard opens with a one-time link.').waitFor();
      await second.goto('about:blank');
      await second.goto(link);
      await second.getByRole('heading', { name: 'This link no longer works' }).waitFor();
      await second.getByText('baton login').waitFor();
    });

    test('a run is seen live: its graph, its output, its question and its end', async () => {
      const tower = await startTower();
      const worker = await joinHttpWorker(tower, 'lathe');
      const { page, faults } = await openDashboard(tower);
      const { run, tasks } = await submitPair(tower);
      const write = taskOf(byKey({ tasks } as RunGraph), 'write');

      await page.getByRole('link', { name: 'Greet the world' }).click();
      const node = page.locator(`.react-flow__node[data-id="${write.id}"]`);
      await node.getByText('Write the greeting').waitFor();
      const attempt = await worker.take();
      await node.getByText('running').waitFor();
      const placeBefore = await restingPlace(node);

      await attempt.say(
        'agent',
        `${JSON.stringify({ type: 'message', text: 'I begin with the file.' })}\n`,
      );
      await attempt.say('stdout', 'first line\n');
      await node.click();
      const panel = page.getByRole('complementary', { name: 'Task' });
      await panel.getByText('I begin with the file.').waitFor();
      await attempt.say(
        'agent',
        `${JSON.stringify({ type: 'tool_call', id: '1', name: 'Edit', target: 'greeting.txt', input: {} })}\n`,
      );
      await panel.getByText('greeting.txt').waitFor();
      await panel.getByRole('link', { name: 'Log' }).click();
      await panel.getByText('first line').waitFor();
      await attempt.say('stdout', '\u001b[31mlast line\u001b[0m\n');
      await panel.getByText('last line', { exact: true }).waitFor();

      const question = await attempt.ask('Which greeting?', ['hello', 'good day']);
      await panel.getByText('Which greeting?').waitFor();
      await page.getByRole('link', { name: '1 needs you' }).waitFor();
      await panel.getByRole('button', { name: 'good day' }).click();
      await panel.getByText('Which greeting?').waitFor({ state: 'detached' });
      await until('the answer is kept', async () => {
        return (await tower.client.checkpoints.get(question)).status !== 'open';
      });
      const decided = await tower.client.checkpoints.get(question);
      expect(decided.resolution).toMatchObject({ option: 'good day', via: 'dashboard' });

      await attempt.patch(PATCH);
      await attempt.complete('The greeting is written.');
      await node.getByText('completed').waitFor();
      expect(await restingPlace(node)).toEqual(placeBefore);
      await panel.getByRole('link', { name: 'Result' }).click();
      await panel.getByText('The greeting is written.').waitFor();
      await panel.getByRole('link', { name: 'Diff' }).click();
      await panel.getByText('<b>world</b>').waitFor();

      await (await worker.take()).complete('Checked.');
      await page.getByText('2 of 2 tasks done').first().waitFor();
      await page.locator('.run-head').getByText('completed', { exact: true }).waitFor();
      expect((await tower.client.runs.get(run.id)).status).toBe('completed');
      expect(faults).toEqual([]);
    });

    test('an approval is given or refused in the list, with a reason that is kept', async () => {
      const tower = await startTower();
      const { run, tasks } = await tower.client.runs.create({
        goal: 'Deploy twice',
        deliver: 'none',
        plan: {
          tasks: ['first', 'second'].map((key) => ({
            key,
            kind: 'command' as const,
            spec: 'true',
            approval: { dispatch: true },
          })),
        },
      });
      const { page } = await openDashboard(tower);
      const callouts = page.locator('.callout');
      await callouts.nth(1).waitFor();
      const first = page.locator('.callout', { has: page.getByRole('link', { name: 'first' }) });
      await first.getByRole('button', { name: 'Approve' }).click();
      await first.waitFor({ state: 'detached' });
      const second = page.locator('.callout', { has: page.getByRole('link', { name: 'second' }) });
      await second.getByRole('button', { name: 'Reject' }).click();
      await second.waitFor({ state: 'detached' });
      await until('both decisions are kept', async () => {
        const { items } = await tower.client.checkpoints.list({ run: run.id });
        return items.length === 0;
      });
      const after = byKey(await tower.client.runs.graph(run.id));
      expect(taskOf(after, 'first').status).toBe('ready');
      expect(taskOf(after, 'second')).toMatchObject({
        status: 'cancelled',
        reason: 'rejected from dashboard',
      });
      expect(tasks).toHaveLength(2);
    });

    test('cancelling asks first, names what is lost, and is refused with the reason afterwards', async () => {
      const tower = await startTower();
      const { run } = await submitPair(tower);
      const { page } = await openDashboard(tower);
      await page.goto(`${tower.url}/runs/${run.id}?tab=tasks`);
      await page.getByRole('button', { name: 'Cancel run' }).click();
      const dialog = page.getByRole('alertdialog');
      await dialog.getByText('2 tasks will never start or go on').waitFor();
      await dialog.getByRole('textbox').fill('not needed');
      await dialog.getByRole('button', { name: 'Cancel run' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.locator('.run-head').getByText('cancelled', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Cancel run', disabled: true }).waitFor();
      await page
        .getByText('Nothing to cancel: it is cancelled.')
        .first()
        .waitFor({ state: 'attached' });
      expect((await tower.client.runs.get(run.id)).reason).toBe('not needed');
    });

    test('a task is paused, resumed, relaunched and reviewed by its buttons', async () => {
      const tower = await startTower();
      const worker = await joinHttpWorker(tower, 'lathe');
      const { page, faults } = await openDashboard(tower);
      const { run, tasks } = await submitPair(tower);
      const write = taskOf(byKey({ tasks } as RunGraph), 'write');
      await page.goto(`${tower.url}/runs/${run.id}?tab=tasks&task=${write.id}`);
      const panel = page.getByRole('complementary', { name: 'Task' });
      const shows = (word: string) =>
        panel.locator('.inspector-facts').getByText(word, { exact: true }).waitFor();
      const press = (name: string) => panel.getByRole('button', { name, exact: true }).click();
      /** Answers the question that a button asks first. */
      const confirm = async (says: string, reason: string, choice?: string): Promise<void> => {
        const dialog = page.getByRole('alertdialog');
        await dialog.getByText(says).waitFor();
        if (choice !== undefined) await dialog.getByText(choice).click();
        await dialog.getByRole('textbox').fill(reason);
        await dialog.locator('button[type=submit]').click();
        await dialog.waitFor({ state: 'detached' });
      };
      /** What a worker reports of an agent that was stopped. */
      const stopped = ({ id, epoch, client }: HeldAttempt) =>
        client.call('failAttempt', {
          params: { id },
          body: { epoch, reason: 'stopped', failure_class: 'cancelled' },
        });

      const first = await worker.take();
      await shows('running');
      await press('Pause');
      await confirm('Its agent is stopped', 'lunch');
      await shows('paused');
      expect(await tower.client.tasks.get(write.id)).toMatchObject({ reason: 'lunch' });
      await stopped(first);
      await press('Resume');
      const second = await worker.take();
      await shows('running');
      expect([second.task, second.id === first.id]).toEqual([first.task, false]);

      await press('Relaunch');
      await confirm('the next one is told nothing', 'wrong way');
      await stopped(second);
      const third = await worker.take();
      await shows('running');
      expect(await tower.client.tasks.get(write.id)).toMatchObject({ generation: 2 });
      await third.complete('The greeting is written.');
      await shows('completed');

      await press('Review');
      await confirm('It is a stamp', 'too short', 'Reject it');
      await panel.getByText('rejected by owner: too short').waitFor();
      await press('Review');
      await confirm('It is a stamp', 'say it in Latin', 'Have it changed');
      await panel.getByText('sent back for changes by owner: say it in Latin').waitFor();
      const fourth = await worker.take();
      await shows('running');
      await fourth.complete('Ave munde.');
      await shows('completed');
      await press('Review');
      await confirm('It is a stamp', '', 'Approve it');
      await panel.getByText('approved by owner').waitFor();
      expect((await tower.client.tasks.get(write.id)).review).toMatchObject({ state: 'approved' });
      expect(faults).toEqual([]);
    });

    test('a run is paused and resumed by its buttons', async () => {
      const tower = await startTower();
      const { run } = await submitPair(tower);
      const { page } = await openDashboard(tower);
      await page.goto(`${tower.url}/runs/${run.id}?tab=tasks`);
      const head = page.locator('.run-head');
      await head.getByRole('button', { name: 'Pause', exact: true }).click();
      const dialog = page.getByRole('alertdialog');
      await dialog.getByText('Nothing starts until it is resumed').waitFor();
      await dialog.getByRole('textbox').fill('night');
      await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await head.getByText('paused', { exact: true }).waitFor();
      expect((await tower.client.runs.get(run.id)).status).toBe('paused');
      const told = (await eventsOf(tower, run.id)).find(({ type }) => type === 'run.paused');
      expect(told).toMatchObject({ data: { reason: 'night' } });
      await head.getByRole('button', { name: 'Resume', exact: true }).click();
      await head.getByText('running', { exact: true }).waitFor();
      await head.getByRole('button', { name: 'Pause', exact: true }).waitFor();
      expect((await tower.client.runs.get(run.id)).status).toBe('running');
    });

    test('says when it is not live, and catches up by itself', async () => {
      const tower = await startTower();
      const { run } = await submitPair(tower);
      const { page } = await openDashboard(tower);
      await page.goto(`${tower.url}/runs/${run.id}`);
      await page.locator('.react-flow__node').first().waitFor();
      await tower.kill();
      await page.getByText('not live').waitFor();
      await page.locator('.react-flow__node').nth(1).waitFor();
      expect(await page.locator('.react-flow__node').count()).toBe(2);
      await tower.restart();
      await tower.client.runs.cancel(run.id);
      await page.getByText('live', { exact: true }).waitFor();
      await page.locator('.run-head').getByText('cancelled', { exact: true }).waitFor();
    });

    test('reads the feed once for all its pages, and goes on when the reading one is closed', async () => {
      const tower = await startTower();
      const first = await openDashboard(tower);
      let streams = 0;
      first.context.on('request', (request) => {
        if (new URL(request.url()).pathname === '/api/v1/events') streams += 1;
      });
      const second = await first.context.newPage();
      await second.goto(`${tower.url}/runs`);
      await second.getByText('live', { exact: true }).waitFor();
      const { run } = await submitPair(tower);
      await second.getByRole('link', { name: 'Greet the world' }).waitFor();
      expect(streams).toBe(0);
      const taken = first.context.waitForEvent('request', (it) =>
        it.url().includes('/api/v1/events'),
      );
      await first.page.close();
      await taken;
      await second.getByText('live', { exact: true }).waitFor();
      await tower.client.runs.cancel(run.id);
      await second.locator('.run-row').getByText('cancelled', { exact: true }).waitFor();
    });

    test('can be used without a mouse', async () => {
      const tower = await startTower();
      const { tasks } = await submitPair(tower);
      const { page } = await openDashboard(tower);
      await page.getByRole('link', { name: 'Greet the world' }).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('heading', { name: 'Keyboard' }).waitFor({ state: 'detached' });
      await chord(page, 'i', page.getByRole('heading', { name: 'Nothing needs you' }));
      await chord(page, 'r', page.getByRole('link', { name: 'Greet the world' }));
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      const { write, check } = byKey({ tasks } as RunGraph);
      const node = page.locator(`.react-flow__node[data-id="${write?.id ?? ''}"]`);
      await node.focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await page.waitForURL(`**task=${check?.id ?? ''}**`);
      await page.getByRole('complementary').getByText('Waits for write').first().waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('complementary').waitFor({ state: 'detached' });
    });

    test('fits a narrow screen: nothing scrolls sideways', async () => {
      const tower = await startTower();
      const { run, tasks } = await submitPair(tower);
      const { page } = await openDashboard(tower, { width: 390, height: 844 });
      const task = tasks[0]?.id ?? '';
      for (const path of [
        '/runs',
        `/runs/${run.id}`,
        `/runs/${run.id}?tab=events`,
        `/runs/${run.id}?task=${task}`,
        '/inbox',
      ]) {
        await page.goto(tower.url + path);
        await page.locator('h1, h2').first().waitFor();
        const over = await page.evaluate(
          'Math.max(0, document.documentElement.scrollWidth - window.innerWidth)',
        );
        expect({ path, over }).toEqual({ path, over: 0 });
      }
    });
  },
);
