import "./theme.ts";
import "./elements/annotation-list.ts";
import "./elements/step-tree.ts";
import "./elements/step-waterfall.ts";
import "./elements/stepcast-app.ts";
import "./elements/test-results.ts";
