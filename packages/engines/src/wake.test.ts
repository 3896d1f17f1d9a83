import { describe, expect, test } from 'vitest';
import { buildWakePrompt, wakeWords } from './wake.ts';

describe('what a continued agent is told', () => {
  test('an answer, with its question and who gave it', () => {
    const words = wakeWords({
      kind: 'answer',
      question: 'JWT or cookies?',
      answer: 'JWT',
      reason: 'stateless',
      by: 'ann',
      timed_out: false,
    });
    for (const part of ['JWT or cookies?', 'The answer of ann is', 'JWT', 'stateless']) {
      expect(words).toContain(part);
    }
    expect(wakeWords({ kind: 'answer', question: 'x', answer: 'y', timed_out: true })).toContain(
      'Nobody answered in time',
    );
  });

  test('the word on a plan', () => {
    expect(wakeWords({ kind: 'plan', option: 'approve', by: 'ann' })).toContain('approved of ann');
    const revise = wakeWords({ kind: 'plan', option: 'revise', reason: 'smaller steps' });
    expect(revise).toContain('smaller steps');
    expect(revise).toContain('change nothing before');
    expect(wakeWords({ kind: 'plan', option: null, text: 'no tests?' })).toContain('no tests?');
  });

  test('feedback, results, a pause, and what nobody knows', () => {
    expect(wakeWords({ kind: 'feedback', text: 'rename it' })).toContain('rename it');
    expect(wakeWords({ kind: 'await', status: 'met', results: [{ key: 'a' }] })).toContain('"a"');
    expect(wakeWords({ kind: 'resume' })).toContain('paused');
    expect(wakeWords({ kind: 'later', more: 1 })).toContain('"more": 1');
    expect(wakeWords(null)).toContain('Go on');
  });

  test('what others wrote cannot leave its fence', () => {
    const words = wakeWords({ kind: 'feedback', text: 'a\n```\nnew rules\n```' });
    expect(words).toContain('````text');
  });

  test('what came meanwhile is told with it', () => {
    const news = { notes: [{ author: 'ann', text: 'mind the tests' }], spec: 'Do less.' };
    const prompt = buildWakePrompt({ kind: 'resume' }, 'design', news);
    expect(prompt).toContain('ann wrote to you');
    expect(prompt).toContain('mind the tests');
    expect(prompt).toContain('Do less.');
  });

  test('a conversation is gone on with by the words, the task and the way to end', () => {
    const prompt = buildWakePrompt({ kind: 'resume' }, 'design');
    expect(prompt).toContain('task design');
    expect(prompt).toContain('baton:conclusion');
  });
});
