// SPDX-License-Identifier: Apache-2.0
//
// What Node starts in the executable. The program is a script of its own: the code cache Node would make for this one has none
// of the functions a program calls.

import { embeddedScript } from './embedded-script.ts';

embeddedScript('rkt')(module, require);
