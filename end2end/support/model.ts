// A language model that says what the test wrote, behind OpenAI's chat completions: server-sent events, tool calls, and
// gates at which the answer waits for the test.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { listen } from './port';
import { Gates } from './gates';

export type Step =
  | { text: string }
  /** A thought, which no answer is. */
  | { thought: string }
  | { call: { name: string; args: object } }
  /** A call whose second half is written only when the gate opens. */
  | { halfCall: { name: string; args: object; gate: string } }
  | { gate: string }
  | { wait: number }
  /** Once: too busy for this answer, and worth another try after so many seconds. */
  | { busy: number }
  /** Ends the connection in the middle of the answer. */
  | { hangUp: true };

/** One answer of the model; a turn with tool calls has several. */
export type Answer = Step[];

export const text = (text: string): Step => ({ text });
export const thought = (thought: string): Step => ({ thought });
/** The text in as many events as it has characters. */
export const typed = (text: string): Step[] => Array.from(text, (character) => ({ text: character }));
export const gate = (gate: string): Step => ({ gate });
/** Milliseconds, for what is measured; a test waits at a gate. */
export const wait = (wait: number): Step => ({ wait });
export const call = (name: string, args: object): Step => ({ call: { name, args } });
export const halfCall = (name: string, args: object, gate: string): Step => ({ halfCall: { name, args, gate } });
export const busy = (busy: number): Step => ({ busy });
export const hangUp: Step = { hangUp: true };

interface Message {
  role: string;
  content: unknown;
}

export class ScriptedModel {
  private readonly scripts: { asked: string; answers: Answer[] }[] = [];
  private readonly gates = new Gates();
  private readonly refused = new Set<Step>();
  // A connection that waits is kept: one that this end closes just as the next request goes out is a failed call.
  private readonly server: Server = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.serve(request, response));
  /** Answers whose reader went away before they ended. */
  hungUp = 0;
  baseUrl = '';

  async start(): Promise<void> {
    this.baseUrl = `http://127.0.0.1:${await listen(this.server)}/v1`;
  }

  /** What is answered to a message that holds `asked`: its first call, then the one after the tool results, and so on. */
  script(asked: string, ...answers: Answer[]): void {
    this.scripts.push({ asked, answers });
  }

  reached(gate: string): Promise<void> {
    return this.gates.reached(gate);
  }

  open(gate: string): void {
    this.gates.open(gate);
  }

  async stop(): Promise<void> {
    this.gates.openAll();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const answer = request.url?.endsWith('/chat/completions') ? this.answerTo(JSON.parse(body).messages) : undefined;
    if (!answer) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: 'There is no script for this.' } }));
      return;
    }
    const busy = answer.find((step) => 'busy' in step && !this.refused.has(step));
    if (busy && 'busy' in busy) {
      this.refused.add(busy);
      response.writeHead(503, { 'content-type': 'application/json', 'retry-after': String(busy.busy) });
      response.end(JSON.stringify({ error: { message: 'Too many people are asking' } }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.on('close', () => {
      if (!response.writableFinished) this.hungUp += 1;
    });
    await this.play(answer, response);
  }

  /** Which answer it is, is told by the conversation itself, so that a repeated request gets the same one. */
  private answerTo(messages: Message[]): Answer | undefined {
    const last = messages.map((message) => message.role).lastIndexOf('user');
    const asked = JSON.stringify(messages[last]?.content ?? '');
    const already = messages.slice(last + 1).filter((message) => message.role === 'assistant').length;
    return this.scripts.findLast((script) => asked.includes(script.asked))?.answers[already];
  }

  private async writeCall(index: number, { name, args, gate }: { name: string; args: object; gate: string }, response: ServerResponse): Promise<void> {
    const text = JSON.stringify(args);
    const half = Math.floor(text.length / 2);
    send(response, { tool_calls: [{ index, id: `call_${index + 1}`, type: 'function', function: { name, arguments: '' } }] });
    send(response, argumentsOf(index, text.slice(0, half)));
    await this.gates.pass(gate);
    send(response, argumentsOf(index, text.slice(half)));
  }

  private async play(answer: Answer, response: ServerResponse): Promise<void> {
    let calls = 0;
    for (const step of answer) {
      if (response.destroyed) return;
      if ('gate' in step) await this.gates.pass(step.gate);
      else if ('wait' in step) await setTimeout(step.wait);
      else if ('hangUp' in step) return void response.destroy();
      else if ('busy' in step) continue;
      else if ('halfCall' in step) await this.writeCall(calls++, step.halfCall, response);
      else if ('text' in step) send(response, { content: step.text });
      else if ('thought' in step) send(response, { reasoning_content: step.thought });
      else send(response, { tool_calls: [toolCall(calls++, step.call)] });
    }
    send(response, {}, calls > 0 ? 'tool_calls' : 'stop');
    write(response, { choices: [], usage: { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 } });
    response.end('data: [DONE]\n\n');
  }
}

function argumentsOf(index: number, text: string): object {
  return { tool_calls: [{ index, function: { arguments: text } }] };
}

function toolCall(index: number, { name, args }: { name: string; args: object }): object {
  return { index, id: `call_${index + 1}`, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}

function send(response: ServerResponse, delta: object, finish: string | null = null): void {
  write(response, { choices: [{ index: 0, delta, finish_reason: finish }] });
}

function write(response: ServerResponse, chunk: object): void {
  response.write(`data: ${JSON.stringify({ id: 'scripted', object: 'chat.completion.chunk', ...chunk })}\n\n`);
}
