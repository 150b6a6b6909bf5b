// The tasks of a page's main thread, each with its length, from the browser's own trace.

const CATEGORIES = ['toplevel', 'devtools.timeline', '__metadata'];
const MAIN_THREAD = 'CrRendererMain';
const TASK = 'ThreadControllerImpl::RunTask';

/**
 * Traces what `during()` does. Returns its outcome as `outcome`, and as `tasks` of the busiest main thread of all pages
 * {wallMs, cpuMs, what}: on the clock, on the processor, and the longest thing in it that the browser has a name for.
 */
export async function traced(inspector, during) {
  const events = [];
  const collect = ({ value }) => events.push(...value);
  inspector.on('Tracing.dataCollected', collect);
  await inspector.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { recordMode: 'recordAsMuchAsPossible', includedCategories: CATEGORIES },
  });
  const outcome = await during();
  const complete = new Promise((resolve) => inspector.once('Tracing.tracingComplete', resolve));
  await inspector.send('Tracing.end');
  const { dataLossOccurred } = await complete;
  inspector.off('Tracing.dataCollected', collect);
  if (dataLossOccurred) {
    throw new Error('the browser has dropped a part of the trace');
  }
  return { outcome, tasks: busiest(events) };
}

function busiest(events) {
  const threads = events
    .filter(({ name, args }) => name === 'thread_name' && args.name === MAIN_THREAD)
    .map((thread) => tasksOf(events.filter(({ pid, tid }) => pid === thread.pid && tid === thread.tid)));
  return threads.toSorted((one, other) => cpu(other) - cpu(one))[0] ?? [];
}

function tasksOf(events) {
  const spans = events.filter(({ ph }) => ph === 'X');
  const isTask = ({ name }) => name === TASK;
  const inner = spans.filter((span) => !isTask(span)).toSorted((one, other) => other.dur - one.dur);
  return spans.filter(isTask).map(({ ts, dur, tdur }) => ({
    wallMs: dur / 1000,
    cpuMs: (tdur ?? 0) / 1000,
    what: inner.find((span) => span.ts >= ts && span.ts + span.dur <= ts + dur)?.name ?? null,
  }));
}

function cpu(tasks) {
  return tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}
