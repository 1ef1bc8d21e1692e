// The time of day, once a second, for all that shows how long ago something was.
import {Store, useStore} from './store';

const now = new Store(Date.now());
window.setInterval(() => !document.hidden && now.set(Date.now()), 1000);
document.addEventListener('visibilitychange', () => !document.hidden && now.set(Date.now()));

export function useNow(): number {
  return useStore(now);
}
