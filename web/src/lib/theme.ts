// Light or dark: as the system says until someone chooses.
import {Store} from './store';

export type Theme = 'light' | 'dark';
const kKey = 'vitalake.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | null {
  const kept = localStorage.getItem(kKey);
  return kept === 'light' || kept === 'dark' ? kept : null;
}

function current(): Theme {
  return chosen() ?? (system.matches ? 'dark' : 'light');
}

export const theme = new Store<Theme>(current());

function apply(): void {
  document.documentElement.dataset.theme = current();
  theme.set(current());
}

export function startTheme(): void {
  apply();
  system.addEventListener('change', apply);
}

export function toggleTheme(): void {
  localStorage.setItem(kKey, current() === 'dark' ? 'light' : 'dark');
  apply();
}

// A colour of styles/tokens.css, for what is drawn on a canvas.
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
