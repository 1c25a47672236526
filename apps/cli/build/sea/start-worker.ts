// SPDX-License-Identifier: Apache-2.0
//
// What a worker thread in the executable starts: the script its first argument names.

import { embeddedScript } from './embedded-script.ts';

embeddedScript(process.argv[2] ?? '')(module, require);
