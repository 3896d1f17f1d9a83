import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useState, type ReactNode } from 'react';
import type { ShownProblem } from '../model/shown-problem.ts';
import { S } from '../strings.ts';
import { Button } from './button.tsx';
import { ProblemNote } from './problem-note.tsx';
import './dialog.css';

interface ConfirmProps {
  readonly title: string;
  /** What is lost, in words. */
  readonly loss: string;
  readonly action: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  readonly problem: ShownProblem | undefined;
  readonly children?: ReactNode;
  readonly onConfirm: (reason: string) => void;
  readonly onClose: () => void;
}

/** Asks before something is lost, and takes the reason that goes into the history. */
export function Confirm(props: ConfirmProps) {
  const [reason, setReason] = useState('');
  return (
    <AlertDialog.Root open onOpenChange={(open) => !open && props.onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="dialog-scrim" />
        <AlertDialog.Popup className="dialog">
          <AlertDialog.Title className="dialog-title">{props.title}</AlertDialog.Title>
          <AlertDialog.Description className="dialog-text">{props.loss}</AlertDialog.Description>
          <form
            className="dialog-form"
            onSubmit={(event) => {
              event.preventDefault();
              props.onConfirm(reason.trim());
            }}
          >
            {props.children}
            <label className="field">
              <span>{S.run.reason}</span>
              <input value={reason} maxLength={2_000} onChange={(e) => setReason(e.target.value)} />
            </label>
            {props.problem !== undefined && <ProblemNote problem={props.problem} />}
            <div className="dialog-actions">
              <Button onClick={props.onClose}>{S.action.back}</Button>
              <Button type="submit" look={props.danger ? 'danger' : 'primary'} busy={props.busy}>
                {props.action}
              </Button>
            </div>
          </form>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
