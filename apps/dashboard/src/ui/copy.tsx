import { Check, Copy as CopyIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { S } from '../strings.ts';
import './copy.css';

const SHOWN_MS = 1_500;

interface CopyProps {
  /** What lands in the clipboard. */
  readonly text: string;
  /** What is shown; default: the text itself. */
  readonly shown?: string;
  readonly label?: string;
}

/** A short text that is copied whole by a click. */
export function Copy({ text, shown = text, label }: CopyProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="copy"
      title={`${S.action.copy} ${text}`}
      aria-label={`${S.action.copy} ${label ?? ''} ${text}`}
      onClick={(event) => {
        event.stopPropagation();
        void copyText(text).then(setCopied);
      }}
    >
      <span className="mono ellipsis">{shown}</span>
      {copied ? <Check size={12} aria-hidden /> : <CopyIcon size={12} aria-hidden />}
      <output className="sr-only">{copied ? S.action.copied : ''}</output>
    </button>
  );
}

/** Resolves with whether it worked: a page on plain http has no clipboard but the old command. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'sr-only';
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** A command to copy and run in a terminal. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div className="command">
      <span className="command-prompt" aria-hidden>
        $
      </span>
      <Copy text={text} />
    </div>
  );
}
