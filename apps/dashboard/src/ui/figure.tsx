import type { ReactNode } from 'react';
import './figure.css';

/** A number with the name of what it counts. */
export function Figure({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="figure">
      <span className="figure-value">{children}</span>
      <span className="figure-name">{name}</span>
    </div>
  );
}
