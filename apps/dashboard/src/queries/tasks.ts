import { AppError, type ReviewAction } from '@baton/contract';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client.ts';
import { keys } from './keys.ts';

/** A task with its inputs and outputs. */
export function useTaskDetail(task: string) {
  return useQuery({ queryKey: keys.taskDetail(task), queryFn: () => client.tasks.get(task) });
}

/** A task's attempts, newest first. */
export function useAttempts(task: string) {
  return useQuery({
    queryKey: keys.taskAttempts(task),
    queryFn: () => client.tasks.attempts(task),
  });
}

/** Files that a task's attempts left. */
export function useArtifacts(task: string) {
  return useQuery({
    queryKey: keys.taskArtifacts(task),
    queryFn: () => client.tasks.artifacts(task),
  });
}

/** The patch of a task's newest attempt that has one; null while there is none. */
export function useDiff(task: string) {
  return useQuery({
    queryKey: keys.taskDiff(task),
    queryFn: async () => {
      try {
        return await client.tasks.diff(task);
      } catch (error) {
        if (error instanceof AppError && error.code === 'not_found') return null;
        throw error;
      }
    },
  });
}

/** Why a task is where it is, and who may take it. */
export function useExplanation(task: string) {
  return useQuery({ queryKey: keys.taskExplain(task), queryFn: () => client.tasks.explain(task) });
}

/** Address of an artifact's content, which the server hands out as a download. */
export function artifactHref(artifact: string): string {
  return `/api/v1/artifacts/${encodeURIComponent(artifact)}/content`;
}

interface CancelTask {
  readonly task: string;
  readonly run: string;
  readonly reason: string;
}

/** Cancels a task and what depends on its success. */
export function useCancelTask() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ task, reason }: CancelTask) =>
      client.tasks.cancel(task, reason === '' ? undefined : reason),
    onSuccess: (_, { run }) => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}

interface RetryTask extends CancelTask {
  readonly downstream: 'keep' | 'reset';
}

/** Runs an ended task again. */
export function useRetryTask() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ task, reason, downstream }: RetryTask) =>
      client.tasks.retry(task, { downstream, ...(reason === '' ? {} : { reason }) }),
    onSuccess: (_, { run }) => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}

/** Puts a task back to its start. */
export function useRelaunchTask() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ task, reason, downstream }: RetryTask) =>
      client.tasks.relaunch(task, { downstream, ...(reason === '' ? {} : { reason }) }),
    onSuccess: (_, { run }) => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}

interface ReviewTask extends CancelTask {
  readonly action: ReviewAction;
}

/** Stamps finished work, or has it changed. */
export function useReviewTask() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ task, action, reason }: ReviewTask) =>
      client.call('reviewTask', {
        params: { id: task },
        body: { action, ...(reason === '' ? {} : { reason }) },
      }),
    onSuccess: (_, { run }) => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}

/** Suspends a task. */
export function usePauseTask() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ task, reason }: CancelTask) =>
      client.tasks.pause(task, reason === '' ? undefined : reason),
    onSuccess: (_, { run }) => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}

/** Lets a paused task go on. */
export function useResumeTask() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ task }: Pick<CancelTask, 'task' | 'run'>) => client.tasks.resume(task),
    onSuccess: (_, { run }) => cache.invalidateQueries({ queryKey: keys.run(run) }),
  });
}
