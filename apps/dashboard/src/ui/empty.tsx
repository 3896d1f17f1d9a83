import type { ReactNode } from 'react';
import './empty.css';

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** What stands where nothing is yet: what it is for, and what to do next. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <section className="empty">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** A place held while data comes, in the size of what comes. Nothing is seen before 400 ms. */
export function Skeleton({
  rows,
  height = 28,
}: {
  readonly rows: number;
  readonly height?: number;
}) {
  return (
    <div className="skeleton" aria-busy="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="skeleton-row" style={{ height }} />
      ))}
    </div>
  );
}
