import { useState } from 'react';
import { S } from '../../strings.ts';

const KEY = 'baton.inspector-width';
const WIDTH = { min: 340, usual: 480, step: 24 } as const;

function widthMax(): number {
  return Math.max(WIDTH.min, Math.round(window.innerWidth * 0.7));
}

function clamp(width: number): number {
  return Math.min(Math.max(width, WIDTH.min), widthMax());
}

/** How wide the panel is, remembered by this browser. */
export function useInspectorWidth(): readonly [number, (width: number) => void] {
  const [width, setWidth] = useState(() =>
    clamp(Number(readStored() ?? WIDTH.usual) || WIDTH.usual),
  );
  const change = (next: number): void => {
    const clamped = clamp(next);
    setWidth(clamped);
    try {
      localStorage.setItem(KEY, String(clamped));
    } catch {
      // Without storage the width holds for this page alone.
    }
  };
  return [width, change];
}

function readStored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

interface ResizeHandleProps {
  readonly width: number;
  readonly onResize: (width: number) => void;
}

/** The edge of the panel: dragged, or moved with the arrow keys. */
export function ResizeHandle({ width, onResize }: ResizeHandleProps) {
  return (
    <div
      className="resize"
      // A native slider cannot be the edge of a pane.
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
      role="slider"
      aria-label={S.inspector.resize}
      aria-orientation="horizontal"
      aria-valuemin={WIDTH.min}
      aria-valuemax={widthMax()}
      aria-valuenow={width}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) {
          onResize(window.innerWidth - event.clientX);
        }
      }}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') onResize(width + WIDTH.step);
        else if (event.key === 'ArrowRight') onResize(width - WIDTH.step);
      }}
    />
  );
}
