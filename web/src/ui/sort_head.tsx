// A column's head that sorts by it; a second press turns the order around.
import type {ComponentChildren, JSX} from 'preact';

import {Icon} from './icons';

export interface Order {
  by: string;
  falling: boolean;
}

export function SortHead({by, order, onOrder, class: more, children}: {
  by: string;
  order: Order;
  onOrder: (order: Order) => void;
  class?: string;
  children: ComponentChildren;
}): JSX.Element {
  const chosen = order.by === by;
  return (
    <th class={more} aria-sort={chosen ? (order.falling ? 'descending' : 'ascending') : undefined}>
      <button type="button" onClick={() => onOrder({by, falling: chosen ? !order.falling : false})}>
        {children}
        {chosen && <Icon name={order.falling ? 'down' : 'up'} />}
      </button>
    </th>
  );
}
