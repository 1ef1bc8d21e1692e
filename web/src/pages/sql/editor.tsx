// A text area with highlighting behind it and completion at the cursor.
import type {JSX} from 'preact';
import {useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks';

import {applyCompletion, complete, tokens, wordBefore, type Completion, type Schema} from '../../lib/sql_text';

const kLineHeight = 20;
const kLeastLines = 7, kMostLines = 18;

interface Place {
  line: number;
  column: number;
}

function placeOf(text: string, cursor: number): Place {
  const before = text.slice(0, cursor).split('\n');
  return {line: before.length - 1, column: before[before.length - 1]!.length};
}

export function Editor({text, schema, onText, onRun}: {
  text: string;
  schema: Schema;
  onText: (text: string) => void;
  onRun: () => void;
}): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const layer = useRef<HTMLPreElement>(null);
  const cursorAfter = useRef<number | null>(null);
  const [offered, setOffered] = useState<Completion[]>([]);
  const [at, setAt] = useState(0);
  const painted = useMemo(() => tokens(text), [text]);
  const lines = Math.min(kMostLines, Math.max(kLeastLines, text.split('\n').length + 1));

  useLayoutEffect(() => {
    if (cursorAfter.current === null) return;
    area.current?.setSelectionRange(cursorAfter.current, cursorAfter.current);
    cursorAfter.current = null;
  });

  const offer = (value: string, cursor: number): void => {
    setOffered(complete(value, cursor, schema));
    setAt(0);
  };
  const take = (chosen: Completion): void => {
    const done = applyCompletion(text, area.current!.selectionStart, chosen);
    cursorAfter.current = done.cursor;
    onText(done.sql);
    setOffered([]);
    area.current!.focus();
  };
  const onKey = (event: KeyboardEvent): void => {
    const cursor = area.current!.selectionStart;
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') {
      setOffered([]);
      onRun();
    } else if (event.ctrlKey && event.key === ' ') offer(text, cursor);
    else if (!offered.length) return;
    else if (event.key === 'ArrowDown') setAt((at + 1) % offered.length);
    else if (event.key === 'ArrowUp') setAt((at + offered.length - 1) % offered.length);
    else if ((event.key === 'Enter' && wordBefore(text, cursor).length > 0) || event.key === 'Tab') take(offered[at]!);
    else if (event.key === 'Escape') {
      setOffered([]);
      event.stopPropagation();
    } else return;
    event.preventDefault();
  };
  const place = offered.length ? placeOf(text, area.current!.selectionStart - wordBefore(text, area.current!.selectionStart).length) : null;
  return (
    <div class="editor" style={{height: `${lines * kLineHeight + 24}px`}}>
      <pre ref={layer} class="paint" aria-hidden="true">
        {painted.map((token, i) => (token.kind === 'other' ? token.text : <span key={i} class={`t-${token.kind}`}>{token.text}</span>))}
        {'\n'}
      </pre>
      <textarea
        ref={area}
        class="ink"
        aria-label="SQL statement"
        aria-autocomplete="list"
        aria-controls="completions"
        aria-activedescendant={offered.length ? `completion-${at}` : undefined}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        wrap="off"
        value={text}
        onInput={(event) => {
          onText(event.currentTarget.value);
          offer(event.currentTarget.value, event.currentTarget.selectionStart);
        }}
        onScroll={(event) => {
          layer.current!.scrollTop = event.currentTarget.scrollTop;
          layer.current!.scrollLeft = event.currentTarget.scrollLeft;
        }}
        onKeyDown={onKey}
        onBlur={() => window.setTimeout(() => setOffered([]), 150)}
      />
      <ul id="completions" class="completions" role="listbox" aria-label="Completions" hidden={!place}
        style={place ? {left: `calc(${Math.min(place.column, 70)}ch + 10px)`, top: `${(place.line + 1) * kLineHeight + 16 - (area.current?.scrollTop ?? 0)}px`} : undefined}>
        {offered.map((c, i) => (
          <li key={c.text} id={`completion-${i}`} role="option" aria-selected={i === at} onMouseDown={(event) => {
            event.preventDefault();
            take(c);
          }}>
            <span class={`t-${c.kind === 'column' ? 'name' : c.kind}`}>{c.text}</span>
            <span class="faint">{c.note || c.kind}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
