import {
  Check,
  ChevronsRight,
  CircleDashed,
  Hand,
  KeyRound,
  Layers,
  Lock,
  Pause,
  Shield,
  Slash,
  X,
} from 'lucide-react';
import type { ReactElement } from 'react';
import type { GlyphName } from '../model/states.ts';

const SIZE = 14;
const line = { size: SIZE, strokeWidth: 2.25, 'aria-hidden': true } as const;

const GLYPHS: Readonly<Record<GlyphName, ReactElement>> = {
  disc: (
    <svg width={SIZE} height={SIZE} viewBox="0 0 14 14" aria-hidden="true">
      <circle cx="7" cy="7" r="4.25" fill="currentColor" />
    </svg>
  ),
  ring: (
    <svg width={SIZE} height={SIZE} viewBox="0 0 14 14" aria-hidden="true">
      <circle cx="7" cy="7" r="4" fill="none" stroke="currentColor" strokeWidth="1.75" />
    </svg>
  ),
  check: <Check {...line} strokeWidth={2.75} />,
  cross: <X {...line} strokeWidth={2.75} />,
  key: <KeyRound {...line} />,
  hand: <Hand {...line} />,
  shield: <Shield {...line} />,
  lock: <Lock {...line} />,
  bars: <Pause {...line} />,
  slash: <Slash {...line} />,
  chevrons: <ChevronsRight {...line} />,
  layers: <Layers {...line} />,
  dashed: <CircleDashed {...line} />,
};

/** The picture of a state; its word always stands beside it or in its label. */
export function Glyph({ name }: { readonly name: GlyphName }) {
  return <span className="glyph">{GLYPHS[name]}</span>;
}
