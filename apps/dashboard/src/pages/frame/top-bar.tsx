import { useFeedState } from '../../live/feed-context.ts';
import { useNow } from '../../live/clock.ts';
import { relativeText, shortId } from '../../model/format.ts';
import { paths } from '../../paths.ts';
import { useInbox } from '../../queries/checkpoints.ts';
import { useSession } from '../../queries/session.ts';
import { S } from '../../strings.ts';
import { Copy } from '../../ui/copy.tsx';
import { Glyph } from '../../ui/glyph.tsx';

/** Where we are, whether it is live, and what needs a person. */
export function TopBar() {
  const session = useSession().data;
  return (
    <header className="topbar">
      <span className="topbar-project">
        <span className="topbar-name">{S.product}</span>
        {session !== undefined && (
          <Copy text={session.project} shown={shortId(session.project)} label={S.frame.project} />
        )}
      </span>
      <LiveState />
      <NeedYou />
    </header>
  );
}

function LiveState() {
  const { phase, sinceMs } = useFeedState();
  const now = useNow();
  if (phase === 'live') {
    return (
      <output className="live tone-green">
        <Glyph name="disc" />
        {S.frame.live}
      </output>
    );
  }
  if (phase === 'connecting') {
    return (
      <output className="live tone-neutral">
        <Glyph name="dashed" />
        {S.frame.connecting}
      </output>
    );
  }
  const since = relativeText(sinceMs, now);
  return (
    <output className="live live-broken tone-amber" title={S.frame.stale(since)}>
      <Glyph name="dashed" />
      {S.frame.reconnecting}
      <span className="live-since">{S.frame.stale(since)}</span>
    </output>
  );
}

function NeedYou() {
  const inbox = useInbox().data;
  if (inbox === undefined) return null;
  const count = inbox.items.length;
  if (count === 0) return <span className="need-you muted">{S.frame.needNobody}</span>;
  return (
    <a className="need-you state state-chip tone-purple" href={paths.inbox()}>
      <Glyph name="hand" />
      <span className="state-word">{S.frame.needYou(count)}</span>
    </a>
  );
}
