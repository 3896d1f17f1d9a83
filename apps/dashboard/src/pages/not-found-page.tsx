import { paths } from '../paths.ts';
import { S } from '../strings.ts';
import { Empty } from '../ui/empty.tsx';

/** An address that leads nowhere. */
export function NotFoundPage() {
  return (
    <main>
      <Empty title={S.notFound.title}>
        <p>{S.notFound.text}</p>
        <a href={paths.runs()}>{S.runs.clear}</a>
      </Empty>
    </main>
  );
}
