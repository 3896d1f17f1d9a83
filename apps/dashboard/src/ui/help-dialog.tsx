import { Dialog } from '@base-ui/react/dialog';
import { S } from '../strings.ts';
import { Button } from './button.tsx';
import './dialog.css';
import './help-dialog.css';

interface HelpDialogProps {
  readonly open: boolean;
  readonly onClose: () => void;
}

/** Every key there is. */
export function HelpDialog({ open, onClose }: HelpDialogProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-scrim" />
        <Dialog.Popup className="dialog">
          <Dialog.Title className="dialog-title">{S.help.title}</Dialog.Title>
          <dl className="keys">
            {S.help.keys.map(([key, meaning]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
          <div className="dialog-actions">
            <Button onClick={onClose}>{S.action.close}</Button>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
