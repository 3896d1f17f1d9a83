import { Tooltip } from '@base-ui/react/tooltip';
import { useId, type ReactNode } from 'react';
import './button.css';

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick?: (() => void) | undefined;
  readonly look?: 'primary' | 'plain' | 'danger' | 'bare';
  readonly type?: 'button' | 'submit';
  /** Why it cannot be pressed now; it stays in reach of the keyboard so that the reason is. */
  readonly why?: string | undefined;
  readonly busy?: boolean;
  /** Name of a button that shows only a picture. */
  readonly label?: string;
  readonly pressed?: boolean;
}

/** A button. When it cannot work it is dimmed and says why. */
export function Button(props: ButtonProps) {
  const { children, onClick, look = 'plain', type = 'button', why, busy = false, label } = props;
  const off = why !== undefined;
  const reason = useId();
  const inner = {
    type,
    className: `button button-${look}`,
    'aria-label': label,
    'aria-describedby': off ? reason : undefined,
    'aria-disabled': off || busy || undefined,
    'aria-busy': busy || undefined,
    'aria-pressed': props.pressed,
    onClick: (event: React.MouseEvent) => {
      if (off || busy) event.preventDefault();
      else onClick?.();
    },
  };
  const hint = why ?? label;
  if (hint === undefined) return <button {...inner}>{children}</button>;
  return (
    <Tooltip.Root>
      <Tooltip.Trigger delay={300} render={<button {...inner} />}>
        {children}
      </Tooltip.Trigger>
      {off && (
        <span id={reason} className="sr-only">
          {why}
        </span>
      )}
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className="tip-place">
          <Tooltip.Popup className="tip">{hint}</Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
