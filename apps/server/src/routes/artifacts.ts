import type { ArtifactRow } from '@baton/kernel';
import type { Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { contentResponse } from '../content-response.ts';
import { found, notFound, resolveId } from '../resolve.ts';
import { artifactView } from '../views/attempt.ts';

/** Handlers of the area `artifacts`. The id of an upload is that of its artifact. */
export function artifactHandlers(
  app: App,
): Pick<Handlers, 'getArtifact' | 'getArtifactContent' | 'putUpload'> {
  const { reads, content } = app;

  /** A worker and its agent see what belongs to a run they work on, which is where inputs come from. */
  async function maySee(principal: Principal, artifact: ArtifactRow): Promise<boolean> {
    if (principal.kind === 'attempt') return principal.run === artifact.runId;
    if (principal.kind !== 'worker') return true;
    return (
      (await reads.worksOnRun(principal.id, artifact.runId)) || (await isOwn(principal, artifact))
    );
  }

  async function isOwn(principal: Principal, artifact: ArtifactRow): Promise<boolean> {
    if (principal.kind === 'attempt') return principal.id === artifact.attemptId;
    const read = await reads.findAttempt(artifact.attemptId);
    return read?.attempt.workerId === principal.id;
  }

  return {
    async getArtifact(call) {
      const id = await resolveId(reads, 'artifacts', call.project, call.params.id);
      return artifactView(found(await reads.findArtifact(call.project, id), 'artifact', id));
    },

    async getArtifactContent(call) {
      const id = await resolveId(reads, 'artifacts', call.project, call.params.id);
      const artifact = found(await reads.findArtifact(call.project, id), 'artifact', id);
      if (!(await maySee(call.principal, artifact))) throw notFound('artifact', call.params.id);
      const body = await content.open(call.project, artifact.sha256);
      if (body === undefined) throw notFound('content yet of artifact', call.params.id);
      const { size, name, mediaType } = artifact;
      return contentResponse({ body, size, name, mediaType });
    },

    async putUpload(call) {
      const { id } = call.params;
      const artifact = await reads.findArtifact(call.project, id);
      if (artifact === undefined || !(await isOwn(call.principal, artifact))) {
        throw notFound('upload', id);
      }
      // A refusal half way is heard only by who may first finish speaking.
      const bytes = call.incoming.iterator({ destroyOnReturn: false });
      try {
        await content.put(call.project, artifact.sha256, artifact.size, bytes);
      } catch (error) {
        call.incoming.resume();
        throw error;
      }
      return artifactView(artifact);
    },
  };
}
