// Named gates: a script waits at one until the test opens it, and a test can wait until the script stands there.

class Moment {
  happen: () => void = () => {};
  readonly happened = new Promise<void>((resolve) => (this.happen = resolve));
}

export class Gates {
  private readonly moments = new Map<string, Moment>();

  private moment(name: string): Moment {
    const moment = this.moments.get(name) ?? new Moment();
    this.moments.set(name, moment);
    return moment;
  }

  /** Resolves when a script stands at the gate. */
  reached(gate: string): Promise<void> {
    return this.moment(`${gate} reached`).happened;
  }

  /** Lets through whoever stands there or comes later. */
  open(gate: string): void {
    this.moment(`${gate} open`).happen();
  }

  /** What the script does at the gate. */
  pass(gate: string): Promise<void> {
    this.moment(`${gate} reached`).happen();
    return this.moment(`${gate} open`).happened;
  }

  /** At the end nobody is left standing. */
  openAll(): void {
    for (const moment of this.moments.values()) moment.happen();
  }
}
