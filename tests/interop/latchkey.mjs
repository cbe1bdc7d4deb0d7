// The service, as `make run` starts it, behind TLS: its issuer is an https URL that stays while its keys change.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.LATCHKEY_LOCAL ?? join(root, 'target/debug/local');
const user = { email: 'ada@example.com', password: 'plum-kettle-orbit-4172' };

/** The audience of every token here. */
export const AUDIENCE = 'https://api.example.com';

/** A deployment that is configured anew again and again, its data staying. */
export class Latchkey {
  #folder = mkdtempSync(join(tmpdir(), 'latchkey-interop-'));
  #tls;
  #connections = new Set();
  #service;
  #port;

  static async start() {
    const latchkey = new Latchkey();
    await latchkey.#listen();
    return latchkey;
  }

  /** `iss`, and where the documents are. */
  get issuer() {
    return `https://localhost:${this.#tls.address().port}`;
  }

  /** What a client needs to trust the certificate. */
  get certificate() {
    return join(this.#folder, 'certificate.pem');
  }

  /** Starts the service, or starts it again, with these settings. */
  async configure(settings) {
    await this.#stopService();
    const env = {
      ARGON2_MEMORY_KIB: '7168',
      ARGON2_ITERATIONS: '1',
      JWT_ISSUER: this.issuer,
      JWT_AUDIENCE: AUDIENCE,
      ...settings,
    };
    const data = join(this.#folder, 'data.db');
    const stdio = ['ignore', 'pipe', 'pipe'];
    this.#service = spawn(program, ['--port', '0', '--data', data], { cwd: root, env, stdio });
    const complaints = [];
    this.#service.stderr.on('data', (text) => complaints.push(text));
    for await (const line of createInterface({ input: this.#service.stdout })) {
      this.#port = /^Latchkey on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (this.#port) return;
    }
    throw new Error(`${program} did not start: ${complaints.join('')}`);
  }

  /** The user's tokens, of a new session. */
  async tokens() {
    for (const route of ['login', 'signup']) {
      const answer = await this.#post(`/auth/${route}`, user);
      if (answer.ok) return await answer.json();
    }
    throw new Error('neither a login nor a signup');
  }

  /** The `kid` of every published key, the current one first. */
  async kids() {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/.well-known/jwks.json`);
    return (await answer.json()).keys.map((key) => key.kid);
  }

  async stop() {
    await this.#stopService();
    this.#tls.close();
    for (const connection of this.#connections) connection.destroy();
    rmSync(this.#folder, { recursive: true });
  }

  #post(path, body) {
    const headers = { 'content-type': 'application/json' };
    return fetch(`http://127.0.0.1:${this.#port}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #listen() {
    const key = join(this.#folder, 'key.pem');
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const names = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', this.certificate], {
      stdio: 'pipe',
    });
    this.#tls = createServer({ key: readFileSync(key), cert: readFileSync(this.certificate) }, (client) => {
      this.#connections.add(client);
      const service = connect(this.#port, '127.0.0.1');
      client.on('close', () => this.#connections.delete(client) && service.destroy());
      // Either side may hang up at any time: the service is started again and again.
      for (const end of [client, service]) end.on('error', () => client.destroy());
      client.pipe(service).pipe(client);
    });
    this.#tls.listen(0, 'localhost');
    await once(this.#tls, 'listening');
  }

  async #stopService() {
    if (!this.#service) return;
    const ended = once(this.#service, 'exit');
    this.#service.kill();
    await ended;
    // The next one has another port; a connection that is kept alive must not lead to this one.
    for (const connection of this.#connections) connection.destroy();
    this.#service = undefined;
  }
}
