// What is shown where there is no data: nothing yet, none, or a fault.
import type {ComponentChildren, JSX} from 'preact';

import type {Loaded} from '../lib/load';
import {ago} from '../lib/format';
import {useNow} from '../lib/now';
import {Icon} from './icons';

export function Skeleton({lines = 5}: {lines?: number}): JSX.Element {
  return (
    <div class="skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({length: lines}, (_, i) => (
        <i key={i} />
      ))}
    </div>
  );
}

export function Empty({icon = 'inbox', title, children}: {icon?: string; title: string; children?: ComponentChildren}): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} />
      <b>{title}</b>
      {children && <p>{children}</p>}
    </div>
  );
}

export function FaultBox({title, detail, code, since, onAgain}: {
  title: string;
  detail: string;
  code?: boolean; // the detail is laid out in lines, with a mark under the place
  since?: number;
  onAgain?: () => void;
}): JSX.Element {
  const now = useNow();
  return (
    <div class="fault" role="alert">
      <Icon name="warning" />
      <div>
        <b>{title}</b>
        {since !== undefined && <span class="soft"> · since {ago(since, now)}</span>}
        {code ? <pre>{detail}</pre> : <p class="soft">{detail}</p>}
      </div>
      {onAgain && (
        <button type="button" class="button" onClick={onAgain}>
          Try again
        </button>
      )}
    </div>
  );
}

// The fault of a load above what is left of its data; a skeleton before there is any.
export function Loading<T>({of, lines, children}: {
  of: Loaded<T>;
  lines?: number;
  children: (data: T) => ComponentChildren;
}): JSX.Element {
  return (
    <>
      {of.fault && <FaultBox title={of.fault.title} detail={of.fault.message} since={of.faultSince} onAgain={of.again} />}
      {of.data !== undefined ? children(of.data) : !of.fault && <Skeleton lines={lines} />}
    </>
  );
}
