import { describeSeed000 } from '../conformance/seed-000.ts';
import { describeSeed004 } from '../conformance/seed-004.ts';
import { startComposed } from './composed-system.ts';

describeSeed000('compose', startComposed);
describeSeed004('compose', startComposed);
