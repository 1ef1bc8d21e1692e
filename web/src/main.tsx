import {render} from 'preact';

import {startLive} from './lib/live';
import {startTheme} from './lib/theme';
import {App} from './shell/app';

startTheme();
render(<App />, document.getElementById('app')!);
startLive();
