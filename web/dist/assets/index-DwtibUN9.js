var e=globalThis,t=e.ShadowRoot&&(e.ShadyCSS===void 0||e.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,n=Symbol(),r=new WeakMap,i=class{constructor(e,t,r){if(this._$cssResult$=!0,r!==n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,n=this.t;if(t&&e===void 0){let t=n!==void 0&&n.length===1;t&&(e=r.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),t&&r.set(n,e))}return e}toString(){return this.cssText}},a=e=>new i(typeof e==`string`?e:e+``,void 0,n),o=(e,...t)=>new i(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,n),s=(n,r)=>{if(t)n.adoptedStyleSheets=r.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let t of r){let r=document.createElement(`style`),i=e.litNonce;i!==void 0&&r.setAttribute(`nonce`,i),r.textContent=t.cssText,n.appendChild(r)}},c=t?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return a(t)})(e):e,{is:l,defineProperty:u,getOwnPropertyDescriptor:d,getOwnPropertyNames:f,getOwnPropertySymbols:p,getPrototypeOf:m}=Object,h=globalThis,ee=h.trustedTypes,te=ee?ee.emptyScript:``,ne=h.reactiveElementPolyfillSupport,g=(e,t)=>e,re={toAttribute(e,t){switch(t){case Boolean:e=e?te:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},ie=(e,t)=>!l(e,t),ae={attribute:!0,type:String,converter:re,reflect:!1,useDefault:!1,hasChanged:ie};Symbol.metadata??=Symbol(`metadata`),h.litPropertyMetadata??=new WeakMap;var _=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=ae){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&u(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=d(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??ae}static _$Ei(){if(this.hasOwnProperty(g(`elementProperties`)))return;let e=m(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(g(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(g(`properties`))){let e=this.properties,t=[...f(e),...p(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(c(e))}else e!==void 0&&t.push(c(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return s(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?re:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?re:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??ie)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};_.elementStyles=[],_.shadowRootOptions={mode:`open`},_[g(`elementProperties`)]=new Map,_[g(`finalized`)]=new Map,ne?.({ReactiveElement:_}),(h.reactiveElementVersions??=[]).push(`2.1.2`);var oe=globalThis,se=e=>e,v=oe.trustedTypes,ce=v?v.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,le=`$lit$`,y=`lit$${Math.random().toFixed(9).slice(2)}$`,b=`?`+y,ue=`<${b}>`,x=document,S=()=>x.createComment(``),C=e=>e===null||typeof e!=`object`&&typeof e!=`function`,de=Array.isArray,fe=e=>de(e)||typeof e?.[Symbol.iterator]==`function`,pe=`[ 	
\f\r]`,w=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,me=/-->/g,he=/>/g,T=RegExp(`>|${pe}(?:([^\\s"'>=/]+)(${pe}*=${pe}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),ge=/'/g,_e=/"/g,ve=/^(?:script|style|textarea|title)$/i,ye=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),E=ye(1),D=ye(2),O=Symbol.for(`lit-noChange`),k=Symbol.for(`lit-nothing`),be=new WeakMap,A=x.createTreeWalker(x,129);function xe(e,t){if(!de(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return ce===void 0?t:ce.createHTML(t)}var Se=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=w;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===w?c[1]===`!--`?o=me:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=T):(ve.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=T):o=he:o===T?c[0]===`>`?(o=i??w,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?T:c[3]===`"`?_e:ge):o===_e||o===ge?o=T:o===me||o===he?o=w:(o=T,i=void 0);let d=o===T&&e[t+1].startsWith(`/>`)?` `:``;a+=o===w?n+ue:l>=0?(r.push(s),n.slice(0,l)+le+n.slice(l)+y+d):n+y+(l===-2?t:d)}return[xe(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Ce=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=Se(t,n);if(this.el=e.createElement(l,r),A.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=A.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(le)){let t=u[o++],n=i.getAttribute(e).split(y),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Te:r[1]===`?`?Ee:r[1]===`@`?De:N}),i.removeAttribute(e)}else e.startsWith(y)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(ve.test(i.tagName)){let e=i.textContent.split(y),t=e.length-1;if(t>0){i.textContent=v?v.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],S()),A.nextNode(),c.push({type:2,index:++a});i.append(e[t],S())}}}else if(i.nodeType===8){if(i.data===b)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(y,e+1))!==-1;)c.push({type:7,index:a}),e+=y.length-1}}a++}}static createElement(e,t){let n=x.createElement(`template`);return n.innerHTML=e,n}};function j(e,t,n=e,r){if(t===O)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=C(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=j(e,i._$AS(e,t.values),i,r)),t}var we=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??x).importNode(t,!0);A.currentNode=r;let i=A.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new M(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new Oe(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=A.nextNode(),a++)}return A.currentNode=x,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},M=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=k,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=j(this,e,t),C(e)?e===k||e==null||e===``?(this._$AH!==k&&this._$AR(),this._$AH=k):e!==this._$AH&&e!==O&&this._(e):e._$litType$===void 0?e.nodeType===void 0?fe(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==k&&C(this._$AH)?this._$AA.nextSibling.data=e:this.T(x.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Ce.createElement(xe(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new we(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=be.get(e.strings);return t===void 0&&be.set(e.strings,t=new Ce(e)),t}k(t){de(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(S()),this.O(S()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=se(e).nextSibling;se(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},N=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=k,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=k}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=j(this,e,t,0),a=!C(e)||e!==this._$AH&&e!==O,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=j(this,r[n+o],t,o),s===O&&(s=this._$AH[o]),a||=!C(s)||s!==this._$AH[o],s===k?e=k:e!==k&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===k?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Te=class extends N{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===k?void 0:e}},Ee=class extends N{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==k)}},De=class extends N{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=j(this,e,t,0)??k)===O)return;let n=this._$AH,r=e===k&&n!==k||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==k&&(n===k||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Oe=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){j(this,e)}},ke={M:le,P:y,A:b,C:1,L:Se,R:we,D:fe,V:j,I:M,H:N,N:Ee,U:De,B:Te,F:Oe},Ae=oe.litHtmlPolyfillSupport;Ae?.(Ce,M),(oe.litHtmlVersions??=[]).push(`3.3.3`);var je=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new M(t.insertBefore(S(),e),e,void 0,n??{})}return i._$AI(e),i},Me=globalThis,P=class extends _{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=je(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return O}};P._$litElement$=!0,P.finalized=!0,Me.litElementHydrateSupport?.({LitElement:P});var Ne=Me.litElementPolyfillSupport;Ne?.({LitElement:P}),(Me.litElementVersions??=[]).push(`4.2.2`);var Pe=16777216,Fe={fg:void 0,bg:void 0,bold:!1,dim:!1,italic:!1,underline:!1,inverse:!1,conceal:!1,strike:!1,overline:!1},Ie=/\x1b(?:\[([0-?]*)([ -/]*)([@-~])|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[()*+][ -~]|[78=>cDEHM])|[\x00-\x08\x0a-\x1f\x7f]+?/g,Le=/\r$/;function Re(e,t){let n=[],r=e.replace(Le,``),i=0;for(let e of r.matchAll(Ie)){e.index>i&&n.push({kind:`text`,text:r.slice(i,e.index),pen:t});let a=e[0];i=e.index+a.length,a.length===1?n.push({kind:`control`,text:a}):(n.push({kind:`escape`,text:a}),e[3]===`m`&&e[2]===``&&(t=Ve(t,e[1]??``)))}return i<r.length&&n.push({kind:`text`,text:r.slice(i),pen:t}),r.length<e.length&&n.push({kind:`escape`,text:`\r`}),n}function ze(e,t){if(!e.includes(`\x1B`))return t;for(let n of e.matchAll(Ie))n[3]===`m`&&n[2]===``&&(t=Ve(t,n[1]??``));return t}function Be(e){return!/[\x00-\x08\x0a-\x1f\x7f]/.test(e)}function Ve(e,t){if(/[<=>?]/.test(t))return e;let n=e,r=t.split(`;`);for(let e=0;e<r.length;e++){let t=(r[e]??``).split(`:`),i=F(t[0]);if(i===0)n=Fe;else if(i===38||i===48||i===58){let a=t.length>1?We(t):Ue(r,e);if(t.length===1&&(e+=a.fields),a.colour===void 0||i===58)continue;n={...n,[i===38?`fg`:`bg`]:a.colour}}else n={...n,...He(i,t)}}return n}function He(e,t){if(e>=30&&e<=37)return{fg:e-30};if(e>=40&&e<=47)return{bg:e-40};if(e>=90&&e<=97)return{fg:e-90+8};if(e>=100&&e<=107)return{bg:e-100+8};switch(e){case 1:return{bold:!0};case 2:return{dim:!0};case 3:return{italic:!0};case 4:return{underline:t.length<2||F(t[1])!==0};case 7:return{inverse:!0};case 8:return{conceal:!0};case 9:return{strike:!0};case 21:return{underline:!0};case 22:return{bold:!1,dim:!1};case 23:return{italic:!1};case 24:return{underline:!1};case 27:return{inverse:!1};case 28:return{conceal:!1};case 29:return{strike:!1};case 39:return{fg:void 0};case 49:return{bg:void 0};case 53:return{overline:!0};case 55:return{overline:!1};default:return{}}}function Ue(e,t){switch(F(e[t+1])){case 5:return{colour:Ge(e[t+2]),fields:2};case 2:return{colour:Ke(e[t+2],e[t+3],e[t+4]),fields:4};default:return{colour:void 0,fields:1}}}function We(e){let t=e.length>=6?3:2;switch(F(e[1])){case 5:return{colour:Ge(e[2]),fields:0};case 2:return{colour:Ke(e[t],e[t+1],e[t+2]),fields:0};default:return{colour:void 0,fields:0}}}function Ge(e){let t=F(e);return t<=255?t:void 0}function Ke(e,t,n){let[r,i,a]=[F(e),F(t),F(n)];if(!(r>255||i>255||a>255))return Pe|r<<16|i<<8|a}function F(e){return e===void 0||e===``?0:e.length>4?1/0:Number(e)}var I=1e4,L=1<<18,qe=1<<24,Je=250,R={blocks:[],rows:0,characters:0,next:void 0,open:!1,pen:Fe};function Ye(e){return e.blocks[0]?.rows[0]?.number}function z(e){return e.blocks.at(-1)?.rows.at(-1)?.number??0}function Xe(e,t){let n=t.offset+t.bytes;if(e.next!==void 0&&n<=e.next)return e;let r=new Qe(e);return e.next!==void 0&&t.offset>e.next&&r.hole(t.line,t.offset-e.next),t.lost?r.hole(t.line,t.lost):r.text(t.line,t.text??``),r.finish(n)}function Ze(e,t){let n=new Qe(e);return n.drop(I,t),n.finish(e.next)}var Qe=class{#e;#t;#n;#r;#i;#a;#o;constructor(e){this.#e=e.blocks.slice(0,-1);let t=e.blocks.at(-1);this.#t=t?t.rows.slice():[],this.#n=t?t.id:0,this.#r=e.rows,this.#i=e.characters,this.#a=e.open,this.#o=e.pen}hole(e,t){this.#a&&this.#l(),this.#u({kind:`hole`,number:e,bytes:t})}text(e,t){for(let n=0;n<t.length;){let r=t.indexOf(`
`,n),i=r<0?t.length:r;this.#a?this.#c(t.slice(n,i)):this.#u(this.#s(e,t.slice(n,i))),this.#a=!0,r>=0&&this.#l(),e++,n=i+1}}finish(e){return this.drop(I,qe),this.#t.length>0&&this.#e.push({id:this.#n,rows:this.#t}),{blocks:this.#e,rows:this.#r,characters:this.#i,next:e,open:this.#a,pen:this.#o}}drop(e,t){for(;this.#r>1&&(this.#r>e||this.#i>t);){let n=this.#e[0]??{id:this.#n,rows:this.#t},r=0;for(;r<n.rows.length&&this.#r>1&&(this.#r>e||this.#i>t);)this.#i-=$e(n.rows[r]),this.#r--,r++;let i=n.rows.slice(r);this.#e.length===0?this.#t=i:i.length>0?this.#e[0]={id:n.id,rows:i}:this.#e.shift()}}#s(e,t){let n=t.length>L;return{kind:`line`,number:e,text:n?t.slice(0,L):t,pen:this.#o,cut:n}}#c(e){let t=this.#t.at(-1);if(t?.kind!==`line`)throw Error(`an open line is the last row`);if(t.cut)return;let n=t.text+e,r=n.length>L;this.#t[this.#t.length-1]={...t,text:n.slice(0,L),cut:r},this.#i+=Math.min(n.length,L)-t.text.length}#l(){let e=this.#t.at(-1);e?.kind===`line`&&(this.#o=ze(e.text,e.pen)),this.#a=!1}#u(e){this.#t.length>=Je&&(this.#e.push({id:this.#n++,rows:this.#t}),this.#t=[]),this.#t.push(e),this.#r++,this.#i+=$e(e)}};function $e(e){return e?.kind===`line`?e.text.length:0}var et=[`build`,`step`,`log`,`note`,`snapshot`,`reset`,`live`,`ping`,`end`,`unavailable`];function B(e){return e!==`queued`&&e!==`running`}function V(e,t){return e!==`passed`&&e!==`failed`&&e!==`canceled`||e===t}function tt(e,t){return`/api/v1/builds/${encodeURIComponent(e)}/steps/${t.split(`/`).map(encodeURIComponent).join(`/`)}/log`}var nt={build:void 0,steps:[],logs:[],places:new Map,caughtUp:!1,ended:!1},rt=4*qe;function it(e,t){switch(t.kind){case`build`:return e.build&&!V(e.build.status,t.data.status)?e:{...e,build:t.data};case`step`:return at(e,t.data);case`log`:return ot(e,t.data);case`live`:return e.caughtUp?e:{...e,caughtUp:!0};case`end`:return{...e,caughtUp:!0,ended:!0};case`reset`:return nt;default:return e}}function at(e,t){let n=e.places.get(t.key);if(n===void 0)return st(e,t);let r=e.steps[n];return r&&!V(r.status,t.status)?e:{...e,steps:e.steps.with(n,t)}}function ot(e,t){let n=e.places.get(t.step);if(n===void 0)return ot(st(e,{key:t.step,status:`running`}),t);let r=e.logs[n]??R,i=Xe(r,t);return i===r?e:{...e,logs:ct(e.logs.with(n,i))}}function st(e,t){return{...e,steps:[...e.steps,t],logs:[...e.logs,R],places:new Map(e.places).set(t.key,e.steps.length)}}function ct(e){let t=0,n=0;for(let[r,i]of e.entries())t+=i.characters,i.characters>(e[n]?.characters??0)&&(n=r);let r=e[n];return t<=rt||!r?e:e.with(n,Ze(r,r.characters-(t-rt)))}var lt=45e3,H=6e4,ut=3e4,dt=class{#e;#t;#n;#r;#i={name:`connecting`};#a=``;#o=0;#s=0;#c;#l;#u;#d=navigator.onLine!==!1;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n}open(){addEventListener(`online`,this.#T),addEventListener(`offline`,this.#E),addEventListener(`pageshow`,this.#D),this.#f({name:`connecting`})}close(){removeEventListener(`online`,this.#T),removeEventListener(`offline`,this.#E),removeEventListener(`pageshow`,this.#D),this.#b()}retryNow(){this.#C()||this.#f({name:`reconnecting`,at:void 0})}#f(e){this.#b(),this.#x(e);let t=new EventSource(this.#w(this.#e));this.#r=t;for(let e of et)t.addEventListener(e,n=>{t===this.#r&&this.#p(e,n)});t.addEventListener(`error`,()=>{t===this.#r&&this.#m(t)}),this.#v()}#p(e,t){this.#a=t.lastEventId||this.#a,this.#v(),e===`unavailable`?this.#x({name:`reconnecting`,at:void 0}):(this.#o=0,this.#t({kind:e,id:t.lastEventId,data:JSON.parse(t.data)}),e===`end`?this.#_():this.#x({name:`live`}))}#m(e){e.readyState===EventSource.CLOSED?(this.#b(),this.#h()):this.#x({name:`reconnecting`,at:void 0})}async#h(){this.#x({name:`reconnecting`,at:void 0});let e=new AbortController;this.#u=e;let t=setTimeout(()=>e.abort(),1e4),n=`passing`;try{let t=this.#w(this.#e);t.searchParams.delete(`tail`),t.searchParams.set(`limit`,`1`);let r=await fetch(t,{headers:{Accept:`application/json`},cache:`no-store`,signal:e.signal});if(ft(r.status)&&(n=r.status),r.ok){let{events:e,end:t}=await r.json();t&&!e?.length&&(n=`over`)}}catch{}finally{clearTimeout(t)}e===this.#u&&(this.#u=void 0,n===`over`?(this.#t({kind:`end`,id:this.#a}),this.#_()):n===`passing`?this.#g():this.#x({name:`refused`,status:n}))}#g(){let e=Math.min(ut,1e3*2**this.#o++),t=100+Math.random()*e;this.#x({name:`reconnecting`,at:Date.now()+t}),this.#l=setTimeout(()=>this.retryNow(),t)}#_(){this.#b(),this.#x({name:`finished`})}#v(){this.#s=Date.now(),this.#c??=setTimeout(this.#y,lt)}#y=()=>{let e=Date.now()-this.#s,t=e<45e3?lt:H;e>=H?(this.#c=void 0,this.#b(),this.#g()):(t===H&&this.#i.name===`live`&&this.#x({name:`stale`,news:this.#s}),this.#c=setTimeout(this.#y,t-e))};#b(){this.#r?.close(),this.#r=void 0,this.#u?.abort(),this.#u=void 0,clearTimeout(this.#c),this.#c=void 0,clearTimeout(this.#l),this.#l=void 0}#x(e){(e.name!==`live`||this.#i.name!==`live`)&&(e.name===`reconnecting`&&this.#S()&&(e={name:`offline`}),this.#i=e,this.#n(e))}#S(){return this.#d&&navigator.onLine===!1}#C(){return this.#i.name===`finished`||this.#i.name===`refused`}#w(e){let t=new URL(e);return this.#a!==``&&(t.searchParams.delete(`tail`),t.searchParams.set(`after`,this.#a)),t}#T=()=>{this.#d=!0,this.retryNow()};#E=()=>{!this.#C()&&this.#S()&&this.#x({name:`offline`})};#D=e=>{e.persisted&&this.retryNow()}};function ft(e){return e>=400&&e<500&&e!==408&&e!==429}var pt=class{state;connection={name:`connecting`};asOf=Date.now();#e;#t;#n;#r=!1;constructor(e,t,n,r){this.#e=e,this.state=n,this.#t=r,this.#n=new dt(new URL(t,location.origin),e=>this.update(this.#t(this.state,e)),t=>{this.connection.name===`live`&&(this.asOf=Date.now()),t.name===`stale`&&(this.asOf=t.news),this.connection=t,e.dispatchEvent(new CustomEvent(`connection`,{detail:t,bubbles:!0,composed:!0})),this.#a()}),e.addController(this)}hostConnected(){this.#n.open(),addEventListener(`stepcast-retry`,this.#i)}hostDisconnected(){this.#n.close(),removeEventListener(`stepcast-retry`,this.#i)}update(e){e!==this.state&&(this.state=e,this.#a())}#i=()=>this.#n.retryNow();#a(){if(this.#r)return;this.#r=!0;let e=()=>{cancelAnimationFrame(t),clearTimeout(n),this.#r=!1,this.#e.requestUpdate()},t=requestAnimationFrame(e),n=setTimeout(e,250)}},mt=new Intl.NumberFormat(`en-US`);new Intl.DateTimeFormat(`en-GB`,{hour:`2-digit`,minute:`2-digit`});var ht=new Intl.DateTimeFormat(`en-GB`,{day:`numeric`,month:`short`,year:`numeric`}),gt=new Intl.DateTimeFormat(`en-GB`,{dateStyle:`full`,timeStyle:`long`});function U(e){return mt.format(e)}function W(e,t){return`${U(e)} ${t}${e===1?``:`s`}`}function _t(e){let t=[],n=e.tests;if(n){let e=n.passed+n.failed+n.skipped,r=n.skipped?`, ${U(n.skipped)} ${n.skipped===1?`was`:`were`} skipped`:``;t.push(n.failed?`${U(n.failed)} of ${W(e,`test`)} failed${r}.`:`${W(n.passed,`test`)} passed${r}.`)}let{error:r=0,warning:i=0}=e.annotations??{},a=[r&&W(r,`error`),i&&W(i,`warning`)].filter(Boolean).join(`, `);return a&&t.push(`${a}.`),t.join(` `)}function vt(e){let t=Math.max(0,e);if(t<1e3)return`${Math.round(t)} ms`;if(t<6e4)return`${(Math.floor(t/100)/10).toFixed(1)} s`;let n=Math.floor(t/1e3),r=Math.floor(n/60);if(r<60)return`${r} m ${Ct(n%60)} s`;let i=Math.floor(r/60);return i<24?`${i} h ${Ct(r%60)} m`:`${Math.floor(i/24)} d ${i%24} h`}function yt(e){let t=Math.max(0,Math.floor(e/1e3));return t<60?`${t} s`:vt(t*1e3)}function bt(e,t){let n=Math.floor((t-e)/1e3);return n<5?`just now`:n<60?`${n} s ago`:n<3600?`${Math.floor(n/60)} min ago`:n<86400?`${Math.floor(n/3600)} h ago`:n<604800?`${Math.floor(n/86400)} d ago`:ht.format(e)}function xt(e){return gt.format(e)}function St(e){let t=e?Date.parse(e):NaN;return Number.isNaN(t)?void 0:t}function Ct(e){return String(e).padStart(2,`0`)}var G=new Set,wt,Tt=class{#e;#t=!1;#n=!0;constructor(e){this.#e=e,e.addController(this)}set wanted(e){this.#n=e,this.#r()}hostConnected(){this.#t=!0,this.#r()}hostDisconnected(){this.#t=!1,this.#r()}#r(){this.#t&&this.#n?G.add(this.#e):G.delete(this.#e),G.size>0?wt??=setInterval(()=>{for(let e of G)e.requestUpdate()},1e3):(clearInterval(wt),wt=void 0)}},Et=class extends P{static properties={started:{},finished:{},asof:{type:Number}};#e=new Tt(this);constructor(){super(),this.asof=0}willUpdate(e){this.#e.wanted=!!this.started&&!this.finished&&this.asof===0}render(){let e=St(this.started);if(e===void 0)return E``;let t=St(this.finished);return E`${t===void 0?yt((this.asof||Date.now())-e):vt(t-e)}`}};customElements.define(`run-time`,Et);var K=o`
	:host {
		box-sizing: border-box;
	}

	:host([hidden]),
	[hidden] {
		display: none !important;
	}

	*,
	*::before,
	*::after {
		box-sizing: border-box;
	}

	a {
		color: var(--link);
	}

	:focus-visible {
		outline: 2px solid var(--link);
		outline-offset: 2px;
	}

	button {
		min-height: 1.75rem;
		padding: 0.125rem 0.625rem;
		border: 1px solid var(--control);
		border-radius: 0.375rem;
		background: var(--page);
		color: var(--link);
		font: inherit;
		cursor: pointer;
	}

	button:hover {
		background: var(--panel);
	}

	.muted {
		color: var(--muted);
	}

	.unseen {
		position: absolute;
		width: 1px;
		height: 1px;
		overflow: hidden;
		clip-path: inset(50%);
		white-space: nowrap;
	}

	@media (pointer: coarse) {
		button {
			min-height: 2.75rem;
		}
	}
`,Dt={passed:D`<path d="M3 8.5 6.5 12 13 4.5" />`,failed:D`<path d="M4 4l8 8M12 4l-8 8" />`,running:D`<circle class="solid" cx="8" cy="8" r="5" />`,queued:D`<circle cx="8" cy="8" r="5" />`,canceled:D`<circle cx="8" cy="8" r="5.5" /><path d="M4.2 4.2l7.6 7.6" />`,skipped:D`<path d="M3 8h10" />`,lost:D`<path d="M8 2.5v7" /><circle class="solid" cx="8" cy="13" r="0.6" />`},Ot=class extends P{static properties={status:{reflect:!0},brief:{type:Boolean,reflect:!0},label:{}};constructor(){super(),this.status=`queued`,this.brief=!1,this.label=``}static styles=[K,o`
			:host {
				display: inline-flex;
				align-items: baseline;
				gap: 0.375em;
				color: var(--muted);
				font-weight: 600;
				white-space: nowrap;
			}

			:host([status="passed"]) {
				color: var(--passed);
			}

			:host([status="failed"]) {
				color: var(--failed);
			}

			:host([status="running"]) {
				color: var(--running);
			}

			:host([status="canceled"]) {
				color: var(--canceled);
			}

			:host([status="lost"]) {
				color: var(--stale);
			}

			svg {
				flex: none;
				align-self: center;
				width: 1em;
				height: 1em;
				fill: none;
				stroke: currentColor;
				stroke-width: 2.25;
				stroke-linecap: round;
				stroke-linejoin: round;
			}

			.solid {
				fill: currentColor;
			}

			@media (prefers-reduced-motion: no-preference) {
				:host([status="running"]) svg {
					animation: pulse 2s ease-in-out infinite;
				}
			}

			@keyframes pulse {
				50% {
					opacity: 0.45;
				}
			}
		`];willUpdate(e){(e.has(`brief`)||e.has(`label`)||e.has(`status`))&&(this.brief?this.title=this.#e():this.removeAttribute(`title`))}#e(){return this.label?`${this.label}: ${this.status}`:this.status}render(){return E`
			<svg viewBox="0 0 16 16" aria-hidden="true">${Dt[this.status]??Dt.queued}</svg>
			<span class=${this.brief?`unseen`:``}>${this.brief?this.#e():this.status}</span>
		`}};customElements.define(`status-mark`,Ot);var kt={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},At=e=>(...t)=>({_$litDirective$:e,values:t}),jt=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:Mt}=ke,Nt=e=>e,Pt=()=>document.createComment(``),q=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new Mt(r.insertBefore(Pt(),i),r.insertBefore(Pt(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=Nt(e).nextSibling;Nt(r).insertBefore(e,i),e=t}}}return n},J=(e,t,n=e)=>(e._$AI(t,n),e),Ft={},It=(e,t=Ft)=>e._$AH=t,Lt=e=>e._$AH,Rt=e=>{e._$AR(),e._$AA.remove()},zt=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},Bt=At(class extends jt{constructor(e){if(super(e),e.type!==kt.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=Lt(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=J(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=J(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=J(i[d],a[m]),q(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=J(i[f],a[p]),q(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=zt(o,p,m),u=zt(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=q(e,i[d]);J(t,a[p]),c[p]=t}else c[p]=J(n,a[p]),q(e,i[d],n),i[t]=null;p++}else Rt(i[f]),f--}else Rt(i[d]),d++;for(;p<=m;){let t=q(e,c[m+1]);J(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&Rt(e)}return this.ut=o,It(e,c),O}}),Vt=class extends P{static properties={steps:{attribute:!1},selected:{},asof:{type:Number}};constructor(){super(),this.steps=[],this.selected=``,this.asof=0}static styles=[K,o`
			:host {
				display: block;
			}

			ol {
				margin: 0;
				padding: 0;
				list-style: none;
			}

			a {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 2rem;
				padding: 0.25rem 0.5rem;
				border-radius: 0.375rem;
				color: var(--text);
				text-decoration: none;
				outline-offset: -2px;
			}

			a:hover {
				background: var(--panel);
			}

			a[aria-current] {
				background: var(--panel);
				box-shadow: inset 3px 0 0 var(--link);
				font-weight: 600;
			}

			bdi {
				display: -webkit-box;
				flex: 1;
				min-width: 0;
				overflow: hidden;
				overflow-wrap: anywhere;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			run-time {
				flex: none;
				color: var(--muted);
				font-size: 0.8125rem;
				font-weight: 400;
				font-variant-numeric: tabular-nums;
			}

			@media (pointer: coarse) {
				a {
					min-height: 2.75rem;
				}
			}
		`];render(){return E`
			<ol role="list">
				${Bt(this.steps,e=>e.key,e=>E`
						<li>
							<a
								href="#${encodeURIComponent(e.key)}"
								aria-current=${e.key===this.selected?`true`:k}
							>
								<status-mark brief .status=${e.status}></status-mark>
								<bdi title=${e.name||e.key}>${e.name||e.key}</bdi>
								<run-time
									.started=${e.started_at}
									.finished=${e.finished_at}
									.asof=${this.asof}
								></run-time>
							</a>
						</li>
					`)}
			</ol>
		`}};customElements.define(`step-list`,Vt);var Ht={light:Q(`#fff8c5`),dark:Q(`#2d2a12`)},Ut=4.5,Wt=[0,0,0],Gt=[255,255,255],Kt=[`#24292f`,`#b3212b`,`#116329`,`#7d4e00`,`#0757b8`,`#8a3ab9`,`#0b6b74`,`#d0d7de`,`#57606a`,`#ff8a80`,`#4ac26b`,`#e3b341`,`#79b8ff`,`#d2a8ff`,`#56d4dd`,`#ffffff`].map(Q);function qt(e){let t=[];e.bold&&t.push(`bold`),e.italic&&t.push(`italic`),e.underline&&t.push(`underline`),e.strike&&t.push(`strike`),e.overline&&t.push(`overline`),e.conceal&&t.push(`conceal`);let[n,r]=e.inverse?[e.bg,e.fg]:[e.fg,e.bg];if(r!==void 0){let e=Y(r),i=n===void 0?Jt(e):X(Y(n),e);return{classes:[...t,`on`],properties:[[`--fg`,$(i)],[`--bg`,$(e)]]}}return e.inverse&&n===void 0?{classes:[...t,`inverse`],properties:[]}:e.inverse&&n!==void 0?{classes:[...t,`inverse`,`exact`],properties:[[`--fg-light`,$(X(Y(n),Q(`#1f2328`)))],[`--fg-dark`,$(X(Y(n),Q(`#e6edf3`)))]]}:n===void 0?{classes:e.dim?[...t,`dim`]:t,properties:[]}:n<16?{classes:[...t,`fg-${n}`],properties:[]}:{classes:[...t,`exact`],properties:[[`--fg-light`,$(X(Y(n),Ht.light))],[`--fg-dark`,$(X(Y(n),Ht.dark))]]}}function Y(e){if(e>=16777216)return[e>>16&255,e>>8&255,e&255];if(e<16)return Kt[e]??Wt;if(e>=232){let t=8+(e-232)*10;return[t,t,t]}let t=e=>e===0?0:55+e*40,n=e-16;return[t(Math.floor(n/36)),t(Math.floor(n/6)%6),t(n%6)]}function X(e,t){if(Z(e,t)>=Ut)return e;let n=Jt(t),r=0,i=1;for(let a=0;a<8;a++){let a=(r+i)/2;Z(Yt(e,n,a),t)>=Ut?i=a:r=a}return Yt(e,n,i)}function Jt(e){return Z(Wt,e)>=Z(Gt,e)?Wt:Gt}function Yt(e,t,n){let r=r=>Math.round(e[r]+(t[r]-e[r])*n);return[r(0),r(1),r(2)]}function Z(e,t){let[n,r]=[Xt(e),Xt(t)];return(Math.max(n,r)+.05)/(Math.min(n,r)+.05)}function Xt([e,t,n]){let r=e=>{let t=e/255;return t<=.04045?t/12.92:((t+.055)/1.055)**2.4};return .2126*r(e)+.7152*r(t)+.0722*r(n)}function Q(e){let t=Number.parseInt(e.slice(1),16);return[t>>16&255,t>>8&255,t&255]}function $([e,t,n]){return`rgb(${e} ${t} ${n})`}var Zt=12,Qt=class{#e;#t=new Map;#n=[];#r=[];#i=!0;#a=!1;constructor(e){this.#e=e}show(e,t){this.#i=t;let n=new Map(this.#n.map((e,t)=>[e.id,this.#r[t]]));this.#r=e.map(e=>{let t=n.get(e.id);return n.delete(e.id),t??this.#o()}),this.#n=e;for(let e of n.values())e&&(this.#t.delete(e),e.remove());for(let e of this.#r)e.parentNode||this.#e.append(e);this.#s()}stop(){this.#n=[],this.#r=[]}#o(){let e=document.createElement(`div`);return e.className=`block`,e}#s(){let e=performance.now()+Zt,t=this.#n.length-1;for(let n=0;n<=t;n++){let r=this.#i?t-n:n,[i,a]=[this.#n[r],this.#r[r]];if(i&&a&&this.#t.get(a)!==i.rows){if(performance.now()>e){this.#c();return}$t(a,this.#t.get(a)??[],i.rows),this.#t.set(a,i.rows)}}}#c(){this.#a||(this.#a=!0,setTimeout(()=>{this.#a=!1,this.#s()}))}};function $t(e,t,n){let r=n[0],i=r?t.indexOf(r):t.length;if(i<0){e.replaceChildren(...n.map(en));return}for(let t=0;t<i;t++)e.firstElementChild?.remove();let a=document.createDocumentFragment();for(let[r,o]of n.entries()){if(o===t[r+i])continue;let n=e.children[r];n&&r+i<t.length?n.replaceWith(en(o)):a.append(en(o))}e.append(a)}function en(e){let t=document.createElement(`div`);if(e.kind===`hole`)return t.className=`hole`,t.textContent=`${U(e.bytes)} bytes of the log are missing here: they were lost before they reached the server.`,t;if(t.className=e.cut?`line cut`:`line`,t.dataset.line=String(e.number),e.text===``)t.append(document.createElement(`br`));else if(Be(e.text)&&!rn(e.pen))t.textContent=e.text;else for(let n of Re(e.text,e.pen))n.kind===`text`?t.append(tn(n.text,n.pen)):t.append(nn(n.kind,n.text));return t}function tn(e,t){let n=document.createTextNode(e);if(!rn(t))return n;let{classes:r,properties:i}=qt(t),a=document.createElement(`span`);a.className=r.join(` `);for(let[e,t]of i)a.style.setProperty(e,t);return a.append(n),a}function nn(e,t){let n=document.createElement(`span`);return n.className=e,n.textContent=t,e===`control`&&(n.dataset.caret=`^${String.fromCharCode(t.charCodeAt(0)^64)}`),n}function rn(e){return e.fg!==void 0||e.bg!==void 0||e.bold||e.dim||e.italic||e.underline||e.inverse||e.conceal||e.strike||e.overline}var an=24,on=250,sn=class extends P{static properties={step:{attribute:!1},log:{attribute:!1},raw:{},caughtup:{type:Boolean},following:{state:!0},atEnd:{state:!0}};#e;#t=0;#n=0;#r=0;#i;#a=new ResizeObserver(()=>{this.#d(),this.#f()});constructor(){super(),this.log=R,this.raw=``,this.caughtup=!1,this.following=!0,this.atEnd=!0}static styles=[K,o`
			:host {
				position: relative;
				display: flex;
				flex-direction: column;
				min-height: 0;
			}

			.bar {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				justify-content: space-between;
				gap: 0.25rem 1rem;
				padding: 0.375rem 0.75rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
				font-size: 0.875rem;
			}

			h2 {
				display: -webkit-box;
				margin: 0;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
				font-size: 0.9375rem;
				overflow-wrap: anywhere;
			}

			.bar p {
				margin: 0;
			}

			.bar a {
				display: inline-flex;
				align-items: center;
				min-height: 1.5rem;
			}

			[role="region"] {
				flex: 1;
				min-height: 0;
				overflow-y: auto;
				overscroll-behavior: contain;
				padding: 0.5rem 0;
				background: var(--page);
				outline-offset: -2px;
			}

			.rows {
				font: 0.8125rem / 1.5 var(--mono);
				tab-size: 8;
			}

			/* What is out of sight costs no layout: 10,000 lines would take a second. */
			.block {
				content-visibility: auto;
				contain-intrinsic-size: auto 300rem;
			}

			.line {
				position: relative;
				min-height: 1.5em;
				padding: 0 0.75rem 0 5.5rem;
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			.line:hover {
				background: var(--panel);
			}

			.line::before {
				content: attr(data-line);
				position: absolute;
				left: 0;
				width: 4.5rem;
				color: var(--muted);
				text-align: right;
				user-select: none;
			}

			.cut::after {
				content: " (this line goes on in the raw log)";
				color: var(--stale);
			}

			.hole,
			.note {
				margin: 0.25rem 0.75rem 0.25rem 5.5rem;
				padding: 0.125rem 0.5rem;
				border-left: 3px solid currentColor;
				color: var(--stale);
				font-family: var(--font);
			}

			.note {
				border: 0;
				padding-left: 0;
				color: var(--muted);
				font-size: 0.875rem;
			}

			.escape {
				display: none;
			}

			.control::before {
				content: attr(data-caret);
				color: var(--muted);
			}

			.bold {
				font-weight: 700;
			}

			.dim {
				color: var(--muted);
			}

			.italic {
				font-style: italic;
			}

			.underline {
				text-decoration: underline;
			}

			.strike {
				text-decoration: line-through;
			}

			.overline {
				text-decoration: overline;
			}

			.underline.strike {
				text-decoration: underline line-through;
			}

			.underline.overline {
				text-decoration: underline overline;
			}

			.strike.overline {
				text-decoration: line-through overline;
			}

			.underline.strike.overline {
				text-decoration: underline line-through overline;
			}

			.exact {
				color: var(--fg-light);
			}

			.inverse {
				background: var(--text);
				color: var(--page);
			}

			.inverse.exact {
				color: var(--fg-light);
			}

			.on {
				background: var(--bg);
				color: var(--fg);
			}

			@media (prefers-color-scheme: dark) {
				.exact,
				.inverse.exact {
					color: var(--fg-dark);
				}
			}

			.conceal {
				color: transparent;
			}

			.end {
				position: absolute;
				right: 1.25rem;
				bottom: 1rem;
				box-shadow: 0 1px 4px rgb(0 0 0 / 30%);
			}

			@media (max-width: 640px) {
				.line {
					padding-left: 3.5rem;
				}

				.line::before {
					width: 3rem;
					font-size: 0.6875rem;
					line-height: 1.77;
				}

				.hole,
				.note {
					margin-left: 3.5rem;
				}
			}
		`,a(Array.from({length:16},(e,t)=>`.fg-${t} { color: var(--ansi-${t}); }`).join(`
`))];render(){let e=this.step;if(!e)return k;let t=e.name||e.key;return E`
			<div class="bar">
				<h2><bdi>${t}</bdi></h2>
				${this.#o()}
				<a href=${this.raw}>Raw log</a>
			</div>
			<div
				role="region"
				tabindex="0"
				aria-label="Log of step ${t}"
				@scroll=${this.#p}
				@keydown=${this.#m}
				@wheel=${this.#m}
				@touchmove=${this.#m}
				@pointerdown=${this.#m}
			>
				<div class="rows"></div>
				${this.#s(e)}
			</div>
			${this.following||this.atEnd||this.log.rows===0?k:E`<button class="end" @click=${this.#g}>${this.#l()}</button>`}
		`}#o(){let e=Ye(this.log);if(e===void 0||e<=1)return k;let t=z(this.log);return E`<p class="window">
			The newest ${W(Math.min(I,t-e+1),`line`)} of ${U(t)} are here; lines
			1 to ${U(e-1)} are in the <a href=${this.raw}>raw log</a>.
		</p>`}#s(e){let t=[this.#c(e),_t(e)].filter(Boolean).join(` `);return t===``?k:E`<p class="note">${t}</p>`}#c(e){let t=this.log.rows===0,n=e.exit_code??void 0;switch(e.status){case`queued`:return`The step has not started.`;case`skipped`:return`The step was skipped.`;case`running`:return t&&this.caughtup?`No output yet.`:``;case`lost`:return`The reporter of this step went silent. If it comes back, the log goes on here.`;default:return`${t&&this.caughtup?`No output. `:``}${un(e.status)}${n===void 0?``:` with exit code ${n}`}.`}}#l(){let e=z(this.log)-this.#r;return e>0?`↓ ${W(e,`new line`)}`:`↓ To the end`}willUpdate(e){let t=e.get(`step`);e.has(`step`)&&t?.key!==this.step?.key&&(this.following=!this.step||!B(this.step.status)||this.step.status!==`passed`,this.#r=z(this.log),this.#t=0,this.#e?.stop(),this.#e=void 0)}updated(e){let t=this.renderRoot.querySelector(`.rows`);t&&(this.#e?e.has(`log`)&&this.#e.show(this.log.blocks,this.following):(t.replaceChildren(),this.#e=new Qt(t),this.#a.disconnect(),this.#a.observe(t),this.#a.observe(this.#u),this.following||(this.#u.scrollTop=0),this.#e.show(this.log.blocks,this.following)),this.#d())}get#u(){let e=this.renderRoot.querySelector(`[role=region]`);if(!e)throw Error(`a log with a step has a region`);return e}#d(){if(!this.following||!this.step||this.#i!==void 0)return;let e=this.#u;e.scrollTop=e.scrollHeight,this.#t=e.scrollTop,this.#n=e.scrollHeight}#f(){this.step&&(this.atEnd=this.following||cn(this.#u))}#p(){let e=this.#u,{scrollTop:t,scrollHeight:n}=e,r=t<this.#t;cn(e)?this.following||=t>this.#t:r&&(this.#i!==void 0||n>=this.#n)&&this.#h(),this.#f(),this.#t=t,this.#n=n}#m={passive:!0,handleEvent:e=>{clearTimeout(this.#i),e instanceof KeyboardEvent&&e.key===`End`?(this.#i=void 0,this.following=!0):(ln(e)&&this.#h(),this.#i=window.setTimeout(()=>{this.#i=void 0,this.#d(),this.#f()},on))}};#h(){let e=this.#u;!this.following||e.scrollHeight<=e.clientHeight||(this.following=!1,this.#r=z(this.log))}#g(){this.following=!0,this.#u.focus()}};function cn({scrollTop:e,scrollHeight:t,clientHeight:n}){return t-e-n<=an}function ln(e){return e instanceof KeyboardEvent?[`Home`,`PageUp`,`ArrowUp`].includes(e.key):e instanceof WheelEvent&&e.deltaY<0}function un(e){return e.slice(0,1).toUpperCase()+e.slice(1)}customElements.define(`step-log`,sn);var dn=class extends P{static properties={time:{}};constructor(){super(),new Tt(this)}render(){let e=St(this.time);return e===void 0?E``:E`<time datetime=${this.time??``} title=${xt(e)}>${bt(e,Date.now())}</time>`}};customElements.define(`time-ago`,dn);var fn={passed:`✓`,failed:`✗`,running:`●`,queued:`○`,canceled:`⊘`,skipped:`–`,lost:`!`},pn=class extends P{static properties={build:{},selected:{state:!0}};#e;constructor(){super(),this.build=``,this.selected=hn()}static styles=[K,o`
			:host {
				display: grid;
				grid-template-columns: 20rem minmax(0, 1fr);
				grid-template-rows: auto minmax(0, 1fr);
				height: calc(100vh - 3rem - 1px);
				height: calc(100dvh - 3rem - 1px);
			}

			.facts {
				grid-column: 1 / -1;
				padding: 0.625rem 1rem;
				border-bottom: 1px solid var(--line);
			}

			h1 {
				display: flex;
				flex-wrap: wrap;
				align-items: baseline;
				gap: 0.125rem 0.75rem;
				margin: 0;
				font-size: 1.125rem;
				overflow-wrap: anywhere;
			}

			h1 .title {
				font-weight: 400;
			}

			ul {
				display: flex;
				flex-wrap: wrap;
				gap: 0.125rem 1rem;
				margin: 0.25rem 0 0;
				padding: 0;
				list-style: none;
				color: var(--muted);
				font-size: 0.875rem;
				overflow-wrap: anywhere;
			}

			code {
				font: 0.8125rem var(--mono);
			}

			nav {
				overflow-y: auto;
				padding: 0.5rem;
				border-right: 1px solid var(--line);
			}

			summary {
				padding: 0.25rem 0.5rem;
				font-weight: 600;
				cursor: pointer;
			}

			.message {
				grid-column: 1 / -1;
				padding: 1rem;
			}

			@media (max-width: 900px) {
				:host {
					grid-template-columns: minmax(0, 1fr);
					grid-template-rows: auto auto minmax(0, 1fr);
				}

				nav {
					max-height: 35vh;
					border-right: 0;
					border-bottom: 1px solid var(--line);
				}

				.facts {
					padding: 0.5rem 0.75rem;
				}
			}
		`];connectedCallback(){super.connectedCallback(),addEventListener(`hashchange`,this.#r)}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`hashchange`,this.#r)}willUpdate(e){this.#e??=new pt(this,`/api/v1/builds/${encodeURIComponent(this.build)}/events?tail=${I}`,nt,it),hn()===``&&(this.selected=this.#n(this.#e.state.steps))}render(){let e=this.#e;if(!e)return k;let{state:t,connection:n}=e;if(n.name===`refused`&&!t.build){let[e,t]=mn(n.status);return E`<div class="message">
				<h1>${e}</h1>
				<p>${t} <a href="/">All builds</a></p>
			</div>`}if(!t.build)return E`<p class="message muted">Loading…</p>`;let r=n.name===`live`?0:e.asOf,i=t.places.get(this.selected),a=i===void 0?void 0:t.steps[i];return E`
			${this.#t(t.build,r)}
			<nav aria-label="Steps">
				<details open>
					<summary>Steps</summary>
					<step-list .steps=${t.steps} .selected=${this.selected} .asof=${r}></step-list>
				</details>
			</nav>
			${a?E`<step-log
							.step=${a}
							.log=${i===void 0?R:t.logs[i]??R}
							.raw=${tt(this.build,a.key)}
							.caughtup=${t.caughtUp}
						></step-log>`:E`<p class="message muted">
							${t.steps.length===0?`This build has no steps yet.`:`This build has no step “${this.selected}”.`}
						</p>`}
		`}updated(e){let t=this.#e?.state.build;document.title=t?`${fn[t.status]} ${t.project} #${t.number} ${t.status} · Stepcast`:`Build · Stepcast`}#t(e,t){let n=/^https?:\/\//i.test(e.url??``)?e.url:void 0;return E`
			<div class="facts">
				<h1>
					<status-mark .status=${e.status}></status-mark>
					<span><bdi>${e.project}</bdi> #${e.number}</span>
					${e.title?E`<bdi class="title">${e.title}</bdi>`:k}
				</h1>
				<ul role="list">
					${e.branch?E`<li>on <code><bdi>${e.branch}</bdi></code></li>`:k}
					${e.commit?E`<li>at <code title=${e.commit}>${e.commit.slice(0,12)}</code></li>`:k}
					${e.author?E`<li>by <bdi>${e.author}</bdi></li>`:k}
					${e.trigger?E`<li><bdi>${e.trigger}</bdi></li>`:k}
					<li>
						${e.started_at?`started`:`created`}
						<time-ago .time=${e.started_at??e.created_at}></time-ago>
					</li>
					${e.started_at?E`<li>
									${B(e.status)?`took`:`running for`}
									<run-time
										.started=${e.started_at}
										.finished=${e.finished_at}
										.asof=${t}
									></run-time>
								</li>`:k}
					${n?E`<li><a href=${n} rel="noreferrer">Where it ran</a></li>`:k}
				</ul>
			</div>
		`}#n(e){let t=this.renderRoot.querySelector(`step-log`);if(this.selected!==``&&t&&!t.following)return this.selected;let n=e.find(e=>e.key===this.selected);return n?.status===`running`?n.key:(e.find(e=>e.status===`failed`||e.status===`lost`)??e.find(e=>e.status===`running`)??e.findLast(e=>B(e.status)&&e.status!==`skipped`)??e[0])?.key??``}#r=()=>{let e=hn();e!==``&&(this.selected=e)}};function mn(e){switch(e){case 400:case 404:return[`No such build`,`There is no build at this address.`];case 401:return[`Not signed in`,`Sign in to see this build.`];default:return[`Not available`,`The server refused to show this build (HTTP status ${e}).`]}}function hn(){try{return decodeURIComponent(location.hash.slice(1))}catch{return``}}customElements.define(`build-page`,pn);var gn={builds:[],loaded:!1,next:void 0,since:0},_n=1e3;function vn(e,t){switch(t.kind){case`page`:{let n=t.data.next??void 0,r=t.data.builds.at(-1),i=n&&r?Date.parse(r.created_at):0;return yn({...e,loaded:!0,next:n,since:i},t.data.builds)}case`snapshot`:return yn(e,t.data.builds);case`build`:return yn(e,[t.data]);case`step`:return bn(e,t.data.build_id,t.data);case`reset`:return gn;default:return e}}function yn(e,t){let n=new Map(e.builds.map(e=>[e.build.id,e]));for(let{steps:e,...r}of t){let t=n.get(r.id);(!t||V(t.build.status,r.status))&&n.set(r.id,{build:r,steps:xn(t?.steps??[],e??[])})}let r=[...n.values()].filter(({build:t})=>Date.parse(t.created_at)>=e.since).sort(Sn).slice(0,_n);return{...e,builds:r}}function bn(e,t,n){let r=e.builds.findIndex(e=>e.build.id===t),i=e.builds[r];if(!i)return e;let a={...i,steps:xn(i.steps,[n])};return{...e,builds:e.builds.with(r,a)}}function xn(e,t){if(t.length===0)return e;let n=new Map(e.map(e=>[e.key,e]));for(let e of t){let t=n.get(e.key);(!t||V(t.status,e.status))&&n.set(e.key,{...t,...e})}return[...n.values()]}function Sn(e,t){let[n,r]=[Date.parse(e.build.created_at),Date.parse(t.build.created_at)];return r-n||t.build.number-e.build.number||(e.build.id<t.build.id?1:-1)}var Cn=12,wn=class extends P{static properties={listed:{attribute:!1},asof:{type:Number}};constructor(){super(),this.asof=0}static styles=[K,o`
			:host {
				display: grid;
				grid-column: 1 / -1;
				grid-template-columns: subgrid;
				align-items: center;
				padding: 0.5rem 0;
				font-size: 0.875rem;
			}

			:host > * {
				min-width: 0;
				padding: 0 0.75rem;
				overflow-wrap: anywhere;
			}

			.what a {
				display: block;
				font-weight: 600;
				text-decoration: none;
			}

			.what a:hover {
				text-decoration: underline;
			}

			.branch {
				font-family: var(--mono);
				font-size: 0.8125rem;
			}

			.steps {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem;
				font-size: 0.75rem;
			}

			.took {
				font-variant-numeric: tabular-nums;
				text-align: right;
				white-space: nowrap;
			}

			@media (max-width: 640px) {
				:host {
					display: flex;
					flex-wrap: wrap;
					gap: 0.25rem 0.75rem;
					padding: 0.5rem 0.75rem;
				}

				:host > * {
					padding: 0;
				}

				:host > :empty {
					display: none;
				}

				:host > .status {
					flex: 1;
				}

				:host > .what {
					flex: 0 0 100%;
					order: 1;
				}

				:host > .branch,
				:host > .author,
				:host > .steps {
					order: 2;
				}
			}
		`];render(){if(!this.listed)return k;let{build:e,steps:t}=this.listed;return E`
			<span class="status"><status-mark .status=${e.status}></status-mark></span>
			<span class="what">
				<a href="/builds/${e.id}">
					<bdi>${e.project}</bdi> #${e.number}
				</a>
				${e.title?E`<bdi class="muted">${e.title}</bdi>`:k}
			</span>
			<span class="branch">${e.branch?E`<bdi>${e.branch}</bdi>`:k}</span>
			<span class="author">${e.author?E`<bdi>${e.author}</bdi>`:k}</span>
			<span class="steps">${this.#e(t)}</span>
			<span class="when muted"><time-ago .time=${e.started_at??e.created_at}></time-ago></span>
			<span class="took">${e.started_at?E`<run-time
							.started=${e.started_at}
							.finished=${e.finished_at}
							.asof=${this.asof}
						></run-time>`:k}</span>
		`}#e(e){let t=e.length-Cn;return E`
			${e.slice(0,Cn).map(e=>E`<status-mark brief .status=${e.status} .label=${e.name||e.key}></status-mark>`)}
			${t>0?E`<span class="muted">and ${t} more</span>`:k}
		`}};customElements.define(`build-item`,wn);var Tn=50,En=class extends P{static properties={failed:{state:!0},loading:{state:!0}};#e=new pt(this,`/api/v1/events`,gn,(e,t)=>{let n=vn(e,t);return this.#t?.push(t),t.kind===`build`&&this.#a(e,t.data.id),t.kind===`live`&&!n.loaded&&this.#i(),n});#t;#n=new Set;constructor(){super(),this.failed=!1,this.loading=!1}static styles=[K,o`
			:host {
				display: block;
				max-width: 90rem;
				margin: 0 auto;
				padding: 1rem;
			}

			h1 {
				margin: 0 0 0.75rem;
				font-size: 1.25rem;
			}

			ol {
				display: grid;
				grid-template-columns: max-content minmax(12rem, 1fr) fit-content(14rem) fit-content(12rem) max-content max-content max-content;
				margin: 0;
				padding: 0;
				list-style: none;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
			}

			li {
				display: grid;
				grid-column: 1 / -1;
				grid-template-columns: subgrid;
			}

			li + li {
				border-top: 1px solid var(--line);
			}

			.new {
				position: sticky;
				top: 0.5rem;
				z-index: 1;
				display: block;
				margin: 0 auto 0.5rem;
			}

			.more {
				margin-top: 0.75rem;
			}

			pre {
				padding: 0.75rem 1rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--panel);
				font: 0.875rem / 1.5 var(--mono);
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			@media (max-width: 640px) {
				:host {
					padding: 0.75rem;
				}

				ol {
					grid-template-columns: minmax(0, 1fr);
				}
			}
		`];connectedCallback(){super.connectedCallback(),document.title=`Builds · Stepcast`,addEventListener(`scroll`,this.#o,{passive:!0}),this.#i()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`scroll`,this.#o)}render(){let{builds:e,loaded:t,next:n}=this.#e.state,r=e.filter(({build:e})=>!this.#n.has(e.id)),i=this.#e.connection.name===`live`?0:this.#e.asOf;return E`
			<h1>Builds</h1>
			${this.#n.size>0?E`<button class="new" @click=${this.#s}>${W(this.#n.size,`new build`)}</button>`:k}
			${r.length>0?E`<ol role="list">
							${Bt(r,({build:e})=>e.id,e=>E`<li><build-item .listed=${e} .asof=${i}></build-item></li>`)}
						</ol>`:k}
			${t&&e.length===0?this.#r():k}
			${this.failed?E`<p role="alert">
							The list could not be loaded.
							<button @click=${()=>this.#i(n)}>Try again</button>
						</p>`:k}
			${n!==void 0&&!this.failed?E`<button class="more" ?disabled=${this.loading} @click=${()=>this.#i(n)}>
							Older builds
						</button>`:k}
			${!t&&!this.failed&&e.length===0?E`<p class="muted">Loading…</p>`:k}
		`}#r(){return E`
			<p>No builds yet. This one would be the first, and appears here by itself:</p>
			<pre>stepcast run --project hello -- echo "Hello, Stepcast"</pre>
		`}updated(e){this.#e.connection.name===`refused`&&!this.#e.state.loaded&&(this.failed=!0)}async#i(e){if(!this.loading){this.loading=!0,this.failed=!1,this.#t=[];try{let t=new URLSearchParams({limit:String(Tn)});e!==void 0&&t.set(`before`,e);let n=await fetch(`/api/v1/builds?${t}`,{headers:{Accept:`application/json`},signal:AbortSignal.timeout(15e3)});if(!n.ok)throw Error(`the list of builds: ${n.status}`);let r=await n.json(),i=vn(this.#e.state,{kind:`page`,data:r});this.#e.update(this.#t.reduce(vn,i))}catch{this.failed=!0}finally{this.#t=void 0,this.loading=!1}}}#a(e,t){scrollY<=0||!e.loaded||e.builds.some(({build:e})=>e.id===t)||this.#n.add(t)}#o=()=>{scrollY<=0&&this.#n.size>0&&this.#s()};#s(){this.#n.clear(),this.requestUpdate()}};customElements.define(`builds-page`,En);var Dn=class extends P{static properties={connection:{attribute:!1},slow:{state:!0}};#e=new Tt(this);#t;constructor(){super(),this.connection={name:`connecting`},this.slow=!1}static styles=[K,o`
			:host {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 1.75rem;
				font-size: 0.875rem;
				color: var(--muted);
			}

			.live {
				color: var(--passed);
			}

			.stale,
			.offline,
			.reconnecting {
				color: var(--stale);
			}
		`];connectedCallback(){super.connectedCallback(),this.#t=setTimeout(()=>{this.slow=!0},1e3)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.#t)}willUpdate(e){this.#e.wanted=this.connection.name===`stale`||this.connection.name===`reconnecting`}render(){let[e,t]=this.#n();return E`
			<span class=${this.connection.name}>
				<span role="status" class="unseen">${e}</span>
				<span aria-hidden="true">${t}</span>
			</span>
			<button
				?hidden=${this.connection.name!==`reconnecting`&&this.connection.name!==`stale`}
				@click=${this.#r}
			>
				Retry now
			</button>
		`}#n(){let e=this.connection;switch(e.name){case`connecting`:return this.slow?[`Connecting`,`Connecting…`]:[``,``];case`live`:return[`Live`,`● Live`];case`stale`:return[`No news from the server`,`! No news for ${yt(Date.now()-e.news)}`];case`reconnecting`:return e.at===void 0?[`Reconnecting`,`Reconnecting…`]:[`Reconnecting`,`Reconnecting in ${Math.max(0,Math.ceil((e.at-Date.now())/1e3))} s`];case`offline`:return[`Offline`,`Offline: showing what was loaded`];case`finished`:return[`Finished`,`Finished`];case`refused`:return[`Not connected`,`Not connected`]}}#r(){this.dispatchEvent(new Event(`stepcast-retry`,{bubbles:!0,composed:!0}))}};customElements.define(`stream-state`,Dn);var On=class extends P{static properties={connection:{state:!0}};constructor(){super(),this.connection={name:`connecting`}}static styles=[K,o`
			:host {
				display: block;
			}

			header {
				display: flex;
				align-items: center;
				justify-content: space-between;
				gap: 1rem;
				min-height: 3rem;
				padding: 0.25rem 1rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
			}

			.home {
				display: inline-flex;
				align-items: center;
				min-height: 1.75rem;
				color: var(--text);
				font-size: 1.0625rem;
				font-weight: 700;
				text-decoration: none;
			}

			.home:hover {
				text-decoration: underline;
			}
		`];render(){return E`
			<header>
				<a class="home" href="/">Stepcast</a>
				<stream-state .connection=${this.connection}></stream-state>
			</header>
			<main @connection=${this.#t}>${this.#e()}</main>
		`}#e(){let e=/^\/builds\/([^/]+)\/?$/.exec(location.pathname)?.[1];return e?E`<build-page .build=${decodeURIComponent(e)}></build-page>`:location.pathname===`/`?E`<builds-page></builds-page>`:E`<p>There is no such page. <a href="/">All builds</a></p>`}#t(e){this.connection=e.detail}};customElements.define(`stepcast-app`,On);