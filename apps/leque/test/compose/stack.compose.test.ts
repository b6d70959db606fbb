import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startRedisContainer } from '@leque/testkit';
import { expect, test } from 'vitest';
import { get } from '../support/http.ts';
import { NumberedLoad } from '../support/numbered-load.ts';
import { RawClient, wsUrl } from '../support/raw-client.ts';
import { startComposed } from './composed-system.ts';

const run = promisify(execFile);
/** Longer than nginx keeps what DNS has answered, and than a process takes to start. */
const SOON = { timeout: 20_000, interval: 250 };
