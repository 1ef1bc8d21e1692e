// NEWS2 from the latest vital signs. Source: Royal College of Physicians, National Early Warning
// Score (NEWS) 2, 2017, chart 1 (SpO2 scale 1). Supplemental oxygen and consciousness are not among
// the vital signs kept, so a score from these inputs is always "at least".

export interface Input {
  code: string;
  value: number;
  time: number; // ms since 1970
}

export interface Part {
  name: string;
  value: number | null; // null: absent or too old
  unit: string;
  points: number;
  time: number | null;
}

export interface Score {
  total: number;
  parts: Part[];
  missing: string[];
  risk: 'high' | 'medium' | 'low to medium' | 'unknown';
}

type Step = [upTo: number, points: number];
interface Parameter {
  name: string;
  codes: string[];
  unit: string;
  digits: number;
  steps: Step[];
}

const kParameters: Parameter[] = [
  {name: 'Respiration', codes: ['9279-1'], unit: '/min', digits: 0, steps: [[8, 3], [11, 1], [20, 0], [24, 2], [Infinity, 3]]},
  {name: 'SpO₂', codes: ['2708-6', '59408-5'], unit: '%', digits: 0, steps: [[91, 3], [93, 2], [95, 1], [Infinity, 0]]},
  {name: 'Systolic', codes: ['8480-6'], unit: 'mmHg', digits: 0, steps: [[90, 3], [100, 2], [110, 1], [219, 0], [Infinity, 3]]},
  {name: 'Pulse', codes: ['8867-4'], unit: '/min', digits: 0, steps: [[40, 3], [50, 1], [90, 0], [110, 1], [130, 2], [Infinity, 3]]},
  {name: 'Temperature', codes: ['8310-5'], unit: '°C', digits: 1, steps: [[35, 3], [36, 1], [38, 0], [39, 1], [Infinity, 2]]},
];
// As the monitor does: no input counts that is older.
export const kOldestMs = 12 * 3600_000;

export function news2(inputs: Input[], now: number): Score {
  const parts = kParameters.map((parameter): Part => {
    const found = inputs
      .filter((i) => parameter.codes.includes(i.code) && now - i.time <= kOldestMs)
      .sort((a, b) => b.time - a.time)[0];
    const part = {name: parameter.name, unit: parameter.unit};
    if (!found) return {...part, value: null, points: 0, time: null};
    const value = Number(found.value.toFixed(parameter.digits));
    const points = parameter.steps.find(([upTo]) => value <= upTo)![1];
    return {...part, value, points, time: found.time};
  });
  const total = parts.reduce((sum, part) => sum + part.points, 0);
  const missing = parts.filter((part) => part.value === null).map((part) => part.name);
  const single = parts.some((part) => part.points === 3);
  // What is absent is not normal: without every input no risk is low.
  const risk = total >= 7 ? 'high' : total >= 5 ? 'medium' : single ? 'low to medium' : 'unknown';
  return {total, parts, missing, risk};
}
