var e={theme:`auto`,keys:!0,times:`off`,wrap:!0,exact:!1,me:``},t={theme:[`auto`,`light`,`dark`],times:[`off`,`absolute`,`build`,`step`]},n=`stepcast.`,r=class extends EventTarget{#e=a();constructor(){super(),addEventListener(`storage`,({key:e,storageArea:t})=>{t!==i()||e!==null&&!e.startsWith(n)||(this.#e=a(),this.dispatchEvent(new Event(`change`)))})}get(e){return this.#e[e]}set(e,t){if(t!==this.#e[e]){this.#e={...this.#e,[e]:t};try{i()?.setItem(n+e,JSON.stringify(t))}catch{}this.dispatchEvent(new Event(`change`))}}};function i(){try{return localStorage}catch{return}}function a(){let r=Object.entries(e).map(([e,r])=>{try{let a=JSON.parse(i()?.getItem(n+e)??``),o=t[e];return[e,(o?o.includes(a):typeof a==typeof r)?a:r]}catch{return[e,r]}});return Object.fromEntries(r)}var o=new r,s=class{#e;constructor(e){this.#e=e,e.addController(this)}hostConnected(){o.addEventListener(`change`,this.#t)}hostDisconnected(){o.removeEventListener(`change`,this.#t)}#t=()=>this.#e.requestUpdate()};function c(){let e=o.get(`theme`);e===`auto`?delete document.documentElement.dataset.theme:document.documentElement.dataset.theme=e}o.addEventListener(`change`,c),c();var l=globalThis,u=l.ShadowRoot&&(l.ShadyCSS===void 0||l.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,d=Symbol(),f=new WeakMap,p=class{constructor(e,t,n){if(this._$cssResult$=!0,n!==d)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,t=this.t;if(u&&e===void 0){let n=t!==void 0&&t.length===1;n&&(e=f.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),n&&f.set(t,e))}return e}toString(){return this.cssText}},m=e=>new p(typeof e==`string`?e:e+``,void 0,d),h=(e,...t)=>new p(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,d),ee=(e,t)=>{if(u)e.adoptedStyleSheets=t.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let n of t){let t=document.createElement(`style`),r=l.litNonce;r!==void 0&&t.setAttribute(`nonce`,r),t.textContent=n.cssText,e.appendChild(t)}},te=u?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return m(t)})(e):e,{is:ne,defineProperty:re,getOwnPropertyDescriptor:ie,getOwnPropertyNames:ae,getOwnPropertySymbols:oe,getPrototypeOf:se}=Object,ce=globalThis,le=ce.trustedTypes,ue=le?le.emptyScript:``,de=ce.reactiveElementPolyfillSupport,g=(e,t)=>e,fe={toAttribute(e,t){switch(t){case Boolean:e=e?ue:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},pe=(e,t)=>!ne(e,t),me={attribute:!0,type:String,converter:fe,reflect:!1,useDefault:!1,hasChanged:pe};Symbol.metadata??=Symbol(`metadata`),ce.litPropertyMetadata??=new WeakMap;var _=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=me){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&re(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=ie(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??me}static _$Ei(){if(this.hasOwnProperty(g(`elementProperties`)))return;let e=se(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(g(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(g(`properties`))){let e=this.properties,t=[...ae(e),...oe(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(te(e))}else e!==void 0&&t.push(te(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return ee(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?fe:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?fe:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??pe)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};_.elementStyles=[],_.shadowRootOptions={mode:`open`},_[g(`elementProperties`)]=new Map,_[g(`finalized`)]=new Map,de?.({ReactiveElement:_}),(ce.reactiveElementVersions??=[]).push(`2.1.2`);var he=globalThis,ge=e=>e,_e=he.trustedTypes,ve=_e?_e.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,ye=`$lit$`,v=`lit$${Math.random().toFixed(9).slice(2)}$`,be=`?`+v,xe=`<${be}>`,y=document,b=()=>y.createComment(``),x=e=>e===null||typeof e!=`object`&&typeof e!=`function`,Se=Array.isArray,Ce=e=>Se(e)||typeof e?.[Symbol.iterator]==`function`,we=`[ 	
\f\r]`,S=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Te=/-->/g,Ee=/>/g,C=RegExp(`>|${we}(?:([^\\s"'>=/]+)(${we}*=${we}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),De=/'/g,Oe=/"/g,ke=/^(?:script|style|textarea|title)$/i,Ae=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),w=Ae(1),je=Ae(2),T=Symbol.for(`lit-noChange`),E=Symbol.for(`lit-nothing`),Me=new WeakMap,D=y.createTreeWalker(y,129);function Ne(e,t){if(!Se(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return ve===void 0?t:ve.createHTML(t)}var Pe=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=S;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===S?c[1]===`!--`?o=Te:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=C):(ke.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=C):o=Ee:o===C?c[0]===`>`?(o=i??S,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?C:c[3]===`"`?Oe:De):o===Oe||o===De?o=C:o===Te||o===Ee?o=S:(o=C,i=void 0);let d=o===C&&e[t+1].startsWith(`/>`)?` `:``;a+=o===S?n+xe:l>=0?(r.push(s),n.slice(0,l)+ye+n.slice(l)+v+d):n+v+(l===-2?t:d)}return[Ne(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Fe=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=Pe(t,n);if(this.el=e.createElement(l,r),D.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=D.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(ye)){let t=u[o++],n=i.getAttribute(e).split(v),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?ze:r[1]===`?`?Be:r[1]===`@`?Ve:Re}),i.removeAttribute(e)}else e.startsWith(v)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(ke.test(i.tagName)){let e=i.textContent.split(v),t=e.length-1;if(t>0){i.textContent=_e?_e.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],b()),D.nextNode(),c.push({type:2,index:++a});i.append(e[t],b())}}}else if(i.nodeType===8){if(i.data===be)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(v,e+1))!==-1;)c.push({type:7,index:a}),e+=v.length-1}}a++}}static createElement(e,t){let n=y.createElement(`template`);return n.innerHTML=e,n}};function O(e,t,n=e,r){if(t===T)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=x(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=O(e,i._$AS(e,t.values),i,r)),t}var Ie=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??y).importNode(t,!0);D.currentNode=r;let i=D.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new Le(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new He(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=D.nextNode(),a++)}return D.currentNode=y,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},Le=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=E,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=O(this,e,t),x(e)?e===E||e==null||e===``?(this._$AH!==E&&this._$AR(),this._$AH=E):e!==this._$AH&&e!==T&&this._(e):e._$litType$===void 0?e.nodeType===void 0?Ce(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==E&&x(this._$AH)?this._$AA.nextSibling.data=e:this.T(y.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Fe.createElement(Ne(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new Ie(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=Me.get(e.strings);return t===void 0&&Me.set(e.strings,t=new Fe(e)),t}k(t){Se(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(b()),this.O(b()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=ge(e).nextSibling;ge(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},Re=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=E,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=E}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=O(this,e,t,0),a=!x(e)||e!==this._$AH&&e!==T,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=O(this,r[n+o],t,o),s===T&&(s=this._$AH[o]),a||=!x(s)||s!==this._$AH[o],s===E?e=E:e!==E&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===E?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},ze=class extends Re{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===E?void 0:e}},Be=class extends Re{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==E)}},Ve=class extends Re{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=O(this,e,t,0)??E)===T)return;let n=this._$AH,r=e===E&&n!==E||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==E&&(n===E||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},He=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){O(this,e)}},Ue={M:ye,P:v,A:be,C:1,L:Pe,R:Ie,D:Ce,V:O,I:Le,H:Re,N:Be,U:Ve,B:ze,F:He},We=he.litHtmlPolyfillSupport;We?.(Fe,Le),(he.litHtmlVersions??=[]).push(`3.3.3`);var Ge=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new Le(t.insertBefore(b(),e),e,void 0,n??{})}return i._$AI(e),i},Ke=globalThis,k=class extends _{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Ge(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return T}};k._$litElement$=!0,k.finalized=!0,Ke.litElementHydrateSupport?.({LitElement:k});var qe=Ke.litElementPolyfillSupport;qe?.({LitElement:k}),(Ke.litElementVersions??=[]).push(`4.2.2`);var Je={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Ye=e=>(...t)=>({_$litDirective$:e,values:t}),Xe=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:Ze}=Ue,Qe=e=>e,$e=()=>document.createComment(``),et=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new Ze(r.insertBefore($e(),i),r.insertBefore($e(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=Qe(e).nextSibling;Qe(r).insertBefore(e,i),e=t}}}return n},A=(e,t,n=e)=>(e._$AI(t,n),e),tt={},nt=(e,t=tt)=>e._$AH=t,rt=e=>e._$AH,it=e=>{e._$AR(),e._$AA.remove()},at=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},j=Ye(class extends Xe{constructor(e){if(super(e),e.type!==Je.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=rt(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=A(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=A(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=A(i[d],a[m]),et(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=A(i[f],a[p]),et(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=at(o,p,m),u=at(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=et(e,i[d]);A(t,a[p]),c[p]=t}else c[p]=A(n,a[p]),et(e,i[d],n),i[t]=null;p++}else it(i[f]),f--}else it(i[d]),d++;for(;p<=m;){let t=et(e,c[m+1]);A(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&it(e)}return this.ut=o,nt(e,c),T}}),ot=new Intl.NumberFormat(`en-US`),st=new Intl.DateTimeFormat(`en-GB`,{hour:`2-digit`,minute:`2-digit`}),ct=new Intl.DateTimeFormat(`en-GB`,{day:`numeric`,month:`short`,year:`numeric`}),lt=new Intl.DateTimeFormat(`en-GB`,{dateStyle:`full`,timeStyle:`long`});function M(e){return ot.format(e)}function N(e,t){return`${M(e)} ${t}${e===1?``:`s`}`}function ut(e){let t=[],n=e.tests;if(n){let e=n.passed+n.failed+n.skipped,r=n.skipped?`, ${M(n.skipped)} ${n.skipped===1?`was`:`were`} skipped`:``;t.push(n.failed?`${M(n.failed)} of ${N(e,`test`)} failed${r}.`:`${N(n.passed,`test`)} passed${r}.`)}let{error:r=0,warning:i=0}=e.annotations??{},a=[r&&N(r,`error`),i&&N(i,`warning`)].filter(Boolean).join(`, `);return a&&t.push(`${a}.`),t.join(` `)}var dt={passed:`✓`,failed:`✗`,running:`●`,queued:`○`,canceled:`⊘`,skipped:`–`,lost:`!`};function ft(e){let t=e.branch?`${e.branch} `:``;return`${dt[e.status]??``} ${t}#${e.number} ${e.status} — ${e.project}`}function P(e){let t=Math.max(0,e);if(t<1e3)return`${Math.round(t)} ms`;if(t<6e4)return`${(Math.floor(t/100)/10).toFixed(1)} s`;let n=Math.floor(t/1e3),r=Math.floor(n/60);if(r<60)return`${r} m ${L(n%60)} s`;let i=Math.floor(r/60);return i<24?`${i} h ${L(r%60)} m`:`${Math.floor(i/24)} d ${i%24} h`}function F(e){let t=Math.max(0,Math.floor(e/1e3));return t<60?`${t} s`:P(t*1e3)}function pt(e){if(e<9.5)return`${Math.max(1,Math.round(e))} s`;if(e<57.5)return`${Math.round(e/5)*5} s`;let t=Math.round(e/60);if(t<60)return`${t} min`;let n=Math.round(t/10)*10,r=n%60;return`${Math.floor(n/60)} h${r===0?``:` ${r} min`}`}function mt(e,t){let n=Math.floor((t-e)/1e3);return n<5?`just now`:n<60?`${n} s ago`:n<3600?`${Math.floor(n/60)} min ago`:n<86400?`${Math.floor(n/3600)} h ago`:n<604800?`${Math.floor(n/86400)} d ago`:ct.format(e)}function ht(e){return st.format(e)}function gt(e){let t=new Date(e);return`${[t.getHours(),t.getMinutes(),t.getSeconds()].map(L).join(`:`)}.${String(t.getMilliseconds()).padStart(3,`0`)}`}function _t(e){let t=Math.abs(e),n=Math.floor(t/1e3),r=Math.floor(n/60),i=Math.floor(r/60),a=i>0?`${i}:${L(r%60)}`:String(r),o=`${L(n%60)}.${String(Math.floor(t%1e3)).padStart(3,`0`)}`;return`${e<0?`-`:``}${a}:${o}`}function vt(e){return lt.format(e)}function I(e){let t=e?Date.parse(e):NaN;return Number.isNaN(t)?void 0:t}function L(e){return String(e).padStart(2,`0`)}var yt=1e3,bt=2e4,xt=1e3,R=class{notes=[];state=`idle`;#e;#t;#n=``;#r=0;#i=0;#a=``;#o=0;#s;#c;#l;#u=0;constructor(e,t){this.#e=e,this.#t=t,e.addController(this)}hostConnected(){this.#d()}hostDisconnected(){this.#c?.abort(),this.#c=void 0,clearTimeout(this.#l),this.#l=void 0,this.#i=-1,this.state===`loading`&&(this.state=`idle`)}get more(){return this.#s!==void 0&&this.notes.length<2e4}get full(){return this.#s!==void 0&&this.notes.length>=2e4}want(e,t){e!==this.#n&&(this.#m(),this.#n=e),this.#r=t,this.#d()}load(){this.state!==`loading`&&(this.#s!==void 0&&(this.#o=this.notes.length,this.#a=this.#s,this.#s=void 0),this.#f())}#d(){if(this.#r===this.#i||this.#l!==void 0||this.state===`loading`||this.#s!==void 0)return;let e=this.#u+xt-Date.now();e<=0?this.#f():this.#l=setTimeout(()=>{this.#l=void 0,this.#d()},e)}async#f(){let e=new AbortController;if(this.#c=e,this.#i=this.#r,this.#u=Date.now(),this.#r!==0||this.#a!==``){this.state=`loading`,this.#e.requestUpdate();try{let t=await this.#p(e.signal);this.notes=[...this.notes.slice(0,this.#o),...t.notes],this.#s=t.next??void 0,this.state=`loaded`}catch{if(e.signal.aborted)return;this.state=`failed`}this.#e.requestUpdate(),this.#d()}}async#p(e){let t=new URLSearchParams(this.#t);t.set(`limit`,String(yt)),this.#a!==``&&t.set(`after`,this.#a);let n=await fetch(`/api/v1/builds/${encodeURIComponent(this.#n)}/notes?${t}`,{headers:{Accept:`application/json`},signal:AbortSignal.any([e,AbortSignal.timeout(15e3)])});if(n.status===400&&this.#a!==``)return this.#a=``,this.#o=0,this.#p(e);if(!n.ok)throw Error(`the list of notes: ${n.status}`);return await n.json()}#m(){this.#c?.abort(),clearTimeout(this.#l),this.#l=void 0,this.notes=[],this.state=`idle`,this.#i=0,this.#a=``,this.#o=0,this.#s=void 0}};function St({step:e,line:t}){return`#${encodeURIComponent(e)}${t===null?``:`:L${t}`}`}function Ct(e,t){return e.reduce((e,{tests:n})=>e+(n?.[t]??0),0)}function wt(e,t){return e.reduce((e,{annotations:n})=>e+(n?.[t]??0),0)}function Tt(e,t,n=1e3){let r=e.trimEnd().split(`
`),i=r.slice(0,t).join(`
`);return i.length>n?[i.slice(0,n),!0]:[i,r.length>t]}var Et=h`
	:host {
		display: block;
		font-size: 0.875rem;
	}

	.bar,
	.bar [role="group"] {
		display: flex;
		flex-wrap: wrap;
		align-items: center;
		gap: 0.5rem;
	}

	.bar {
		margin-bottom: 0.75rem;
	}

	.bar button[aria-pressed="true"] {
		background: var(--panel);
		box-shadow: inset 0 -2px 0 var(--link);
		font-weight: 600;
	}

	.bar label {
		display: flex;
		flex: 1 1 14rem;
		align-items: center;
		gap: 0.5rem;
		max-width: 26rem;
	}

	.bar input {
		flex: 1;
		min-width: 0;
		min-height: 1.75rem;
		padding: 0.125rem 0.5rem;
		border: 1px solid var(--control);
		border-radius: 0.375rem;
		background: var(--page);
		color: var(--text);
		font: inherit;
	}

	h3 {
		margin: 1rem 0 0.25rem;
		font-size: 0.9375rem;
	}

	h4 {
		margin: 0.75rem 0 0;
		font-size: 0.875rem;
		overflow-wrap: anywhere;
	}

	ul {
		margin: 0;
		padding: 0;
		list-style: none;
	}

	li {
		padding: 0.4375rem 0;
		border-bottom: 1px solid var(--line);
		content-visibility: auto;
		contain-intrinsic-size: auto 2.25rem;
	}

	.head {
		display: flex;
		flex-wrap: wrap;
		align-items: baseline;
		gap: 0.125rem 0.75rem;
	}

	.head status-mark,
	.head .sign {
		flex: none;
		align-items: center;
		align-self: flex-start;
		height: 1.45em;
	}

	.name {
		flex: 1 1 16rem;
		min-width: 0;
		overflow-wrap: anywhere;
	}

	.took {
		color: var(--muted);
		font-variant-numeric: tabular-nums;
		white-space: nowrap;
	}

	.head a,
	td a,
	th a,
	h4 a {
		display: inline-block;
		min-height: 1.5rem;
		overflow-wrap: anywhere;
	}

	.failed,
	.error {
		color: var(--failed);
	}

	@media (pointer: coarse) {
		.bar input,
		.head a,
		td a,
		th a,
		h4 a {
			min-height: 2.75rem;
		}

		.head a,
		h4 a {
			padding-block: 0.625rem;
		}
	}
`;function Dt(e,t,n,r){return e.state===`failed`?w`<p role="alert">
			The list could not be loaded. <button @click=${()=>e.load()}>Try again</button>
		</p>`:e.state===`loading`&&e.notes.length===0?w`<p class="muted">Loading…</p>`:t<n||e.more?w`<p>
			<button
				?disabled=${e.state===`loading`}
				@click=${()=>{r(),t+100>n&&e.more&&e.load()}}
			>
				${e.state===`loading`?`Loading…`:`Show more`}
			</button>
		</p>`:e.full?w`<p class="muted">
			The first ${M(bt)} are here; the API has all of them.
		</p>`:E}var z=h`
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

	button.icon {
		display: inline-flex;
		align-items: center;
		justify-content: center;
		min-width: 1.75rem;
		padding: 0.125rem;
	}

	.icon svg {
		width: 1.125rem;
		height: 1.125rem;
		fill: none;
		stroke: currentColor;
		stroke-width: 1.5;
		stroke-linecap: round;
		stroke-linejoin: round;
	}

	.icon .solid {
		fill: currentColor;
	}

	kbd {
		display: inline-block;
		min-width: 1.5rem;
		padding: 0 0.3125rem;
		border: 1px solid var(--control);
		border-radius: 0.25rem;
		background: var(--panel);
		color: var(--text);
		font: 0.8125rem / 1.375rem var(--mono);
		text-align: center;
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
		button,
		button.icon {
			min-width: 2.75rem;
			min-height: 2.75rem;
		}
	}
`,Ot=4,kt=class extends k{static properties={text:{},open:{state:!0}};constructor(){super(),this.text=``,this.open=!1}static styles=[z,h`
			:host {
				display: block;
			}

			pre {
				max-height: 30rem;
				margin: 0.25rem 0 0;
				padding: 0.375rem 0.625rem;
				overflow: auto;
				border-left: 3px solid var(--line);
				background: var(--panel);
				font: 0.8125rem / 1.45 var(--mono);
				tab-size: 8;
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			button {
				margin-top: 0.25rem;
				font-size: 0.8125rem;
			}
		`];render(){let[e,t]=Tt(this.text,Ot);return e===``?E:w`
			<pre
				tabindex=${this.open?`0`:E}
				role=${this.open?`region`:E}
				aria-label=${this.open?`Message`:E}
			>${this.open?this.text:e}</pre>
			${t?w`<button
							aria-expanded=${this.open}
							@click=${()=>{this.open=!this.open}}
						>
							${this.open?`Less`:`Whole message`}
						</button>`:E}
		`}};customElements.define(`note-message`,kt);var At=[`failed`,`lost`,`canceled`,`running`,`queued`,`passed`,`skipped`];function jt(e){let t=new Nt(``);for(let n of e){let e=t;for(let t of n.key.split(`/`))e=e.below(t);e.step=n}let n=new Map;for(let e of t.all())e.step&&n.set(e.label,(n.get(e.label)??0)+1);return t.rows(n)}function Mt(e){let t=e=>e.flatMap(({step:e,rows:n})=>[...e?[e.key]:[],...t(n)]);return t(jt(e))}var Nt=class e{path;step;#e=new Map;constructor(e){this.path=e}below(t){let n=this.#e.get(t);if(n)return n;let r=new e(this.path===``?t:`${this.path}/${t}`);return this.#e.set(t,r),r}get segment(){return this.path.slice(this.path.lastIndexOf(`/`)+1)}get label(){return this.step?.name||this.segment}*all(){yield this;for(let e of this.#e.values())yield*e.all()}rows(e){return[...this.#e.values()].map(t=>t.#t(e,``))}#t(e,t){let[n,r]=this.#e.values();if(n&&!r&&!this.step)return n.#t(e,`${t}${this.segment}/`);let i=this.rows(e),a=this.step,o=t+this.segment,s=a?.name||o,c=a&&(s===a.key||(e.get(this.label)??0)<2&&s===o);return{path:this.path,label:s,key:c?void 0:a?.key,step:a,rows:i,sum:Ft([...a?[Pt(a)]:[],...i.map(e=>e.sum)])}}};function Pt(e){let t=e.started_at??void 0;return{steps:1,status:e.status,started:t,finished:e.finished_at??void 0,errors:e.annotations?.error??0,failures:e.tests?.failed??0}}function Ft(e){let t=e.some(({status:e})=>e===`running`||e===`queued`),n=t=>e.reduce((e,n)=>e+t(n),0);return{steps:n(e=>e.steps),status:At.find(t=>e.some(e=>e.status===t))??`queued`,started:It(e,e=>e.started,-1),finished:t?void 0:It(e,e=>e.finished,1),errors:n(e=>e.errors),failures:n(e=>e.failures)}}function It(e,t,n){return e.map(t).filter(e=>e!==void 0).reduce((e,t)=>e===void 0||n*(Date.parse(t)-Date.parse(e))>0?t:e,void 0)}function B(e,t=96){let n=[...e];if(n.length<=t)return e;let r=Math.floor((t-1)/2);return`${n.slice(0,t-1-r).join(``)}…${n.slice(-r).join(``)}`}function Lt({name:e,key:t}){return!e||e===t?w`<bdi title=${t}>${B(t)}</bdi>`:w`<bdi title=${e}>${B(e)}</bdi> <bdi class="key" title=${t}>${B(t)}</bdi>`}var Rt=h`
	.key {
		color: var(--muted);
		font: 0.75rem var(--mono);
	}
`,zt=[`error`,`warning`,`notice`],Bt={error:`✗`,warning:`!`,notice:`i`},Vt=class extends k{static properties={build:{},steps:{attribute:!1},wanted:{state:!0},rows:{state:!0}};#e={error:new R(this,`kind=annotation&level=error`),warning:new R(this,`kind=annotation&level=warning`),notice:new R(this,`kind=annotation&level=notice`)};constructor(){super(),this.build=``,this.steps=[],this.wanted=new Set([`error`,`warning`]),this.rows={error:100,warning:100,notice:100}}static styles=[z,Et,Rt,h`
			.warning {
				color: var(--running);
			}

			.notice {
				color: var(--link);
			}

			.sign {
				flex: none;
				width: 1em;
				font-weight: 700;
				text-align: center;
			}

			.where {
				font: 0.8125rem var(--mono);
				overflow-wrap: anywhere;
			}
		`];willUpdate(e){for(let e of zt)this.wanted.has(e)&&this.#e[e].want(this.build,wt(this.steps,e))}render(){return zt.reduce((e,t)=>e+wt(this.steps,t),0)===0?w`<p class="muted">No errors, warnings or notices were found in this build.</p>`:w`
			<div class="bar" role="group" aria-label="What to show">
				${zt.map(e=>this.#t(e))}
			</div>
			${zt.filter(e=>this.wanted.has(e)).map(e=>this.#n(e))}
			${this.wanted.size===0?w`<p class="muted">Choose above what to show.</p>`:E}
		`}#t(e){return w`<button
			aria-pressed=${this.wanted.has(e)}
			@click=${()=>{let t=new Set(this.wanted);t.delete(e)||t.add(e),this.wanted=t}}
		>
			<span class=${e} aria-hidden="true">${Bt[e]}</span>
			${N(wt(this.steps,e),e)}
		</button>`}#n(e){let t=wt(this.steps,e);if(t===0)return E;let n=this.#e[e],r=n.notes.slice(0,this.rows[e]),i=this.steps.filter(({key:e})=>r.some(({step:t})=>t===e));return w`
			<section aria-label=${Ht[e]}>
				<h3>${Ht[e]} <span class="muted">${M(t)}</span></h3>
				${j(i,({key:e})=>e,e=>w`
						<h4><a href="#${encodeURIComponent(e.key)}">${Lt(e)}</a></h4>
						<ul role="list">
							${j(r.filter(t=>t.step===e.key),({number:e})=>e,e=>w`<li>${this.#r(e)}</li>`)}
						</ul>
					`)}
				${Dt(n,r.length,n.notes.length,()=>{this.rows={...this.rows,[e]:this.rows[e]+100}})}
			</section>
		`}#r(e){let{level:t,title:n,message:r,file:i,file_line:a,file_column:o}=e.annotation,[s=``,...c]=r.split(`
`),l=s.length<=300&&(!n||c.length===0),u=l?c.join(`
`):r,d=[i,a,a&&o].filter(Boolean).join(`:`);return w`
			<div class="head">
				<span class="sign ${t}" aria-hidden="true">${Bt[t]}</span>
				<span class="name">
					<span class="unseen">${t}:</span>
					${n?w`<bdi><strong>${n}</strong></bdi>`:E}
					${l?w`<bdi>${s}</bdi>`:E}
				</span>
				${d===``?E:w`<bdi class="where">${d}</bdi>`}
				${e.line===null?E:w`<a href=${St(e)}><span class="unseen">${e.step}, </span>line ${M(e.line)}</a>`}
			</div>
			${u.trim()===``?E:w`<note-message .text=${u}></note-message>`}
		`}},Ht={error:`Errors`,warning:`Warnings`,notice:`Notices`};customElements.define(`annotation-list`,Vt);var Ut=new Set,Wt,V=class{#e;#t=!1;#n=!0;constructor(e){this.#e=e,e.addController(this)}set wanted(e){this.#n=e,this.#r()}hostConnected(){this.#t=!0,this.#r()}hostDisconnected(){this.#t=!1,this.#r()}#r(){this.#t&&this.#n?Ut.add(this.#e):Ut.delete(this.#e),Ut.size>0?Wt??=setInterval(()=>{for(let e of Ut)e.requestUpdate()},1e3):(clearInterval(Wt),Wt=void 0)}},Gt=class extends k{static properties={started:{},finished:{},asof:{type:Number}};#e=new V(this);constructor(){super(),this.asof=0}willUpdate(e){this.#e.wanted=!!this.started&&!this.finished&&this.asof===0}render(){let e=I(this.started);if(e===void 0)return w``;let t=I(this.finished);return w`${t===void 0?F((this.asof||Date.now())-e):P(t-e)}`}};customElements.define(`run-time`,Gt);var Kt={passed:{line:`M3 8.5 6.5 12 13 4.5`,solid:``},failed:{line:`M4 4l8 8M12 4l-8 8`,solid:``},running:{line:``,solid:qt(5)},queued:{line:qt(5),solid:``},canceled:{line:`${qt(5.5)}M4.2 4.2l7.6 7.6`,solid:``},skipped:{line:`M3 8h10`,solid:``},lost:{line:`M8 2.5v7`,solid:`M8 12.4a.6.6 0 1 0 0 1.2a.6.6 0 1 0 0-1.2z`}};function qt(e){return`M8 ${8-e}a${e} ${e} 0 1 0 0 ${2*e}a${e} ${e} 0 1 0 0-${2*e}z`}var Jt=class extends k{static properties={status:{reflect:!0},brief:{type:Boolean,reflect:!0},label:{}};constructor(){super(),this.status=`queued`,this.brief=!1,this.label=``}static styles=[z,h`
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
		`];willUpdate(e){(e.has(`brief`)||e.has(`label`)||e.has(`status`))&&(this.brief?this.title=this.#e():this.removeAttribute(`title`))}#e(){return this.label?`${this.label}: ${this.status}`:this.status}render(){let{line:e,solid:t}=Kt[this.status]??Kt.queued;return w`
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<path d=${e} />
				<path class="solid" d=${t} />
			</svg>
			<span class=${this.brief?`unseen`:``}>${this.brief?this.#e():this.status}</span>
		`}};customElements.define(`status-mark`,Jt);var Yt=class extends k{static properties={steps:{attribute:!1},selected:{},asof:{type:Number},folded:{state:!0}};constructor(){super(),this.steps=[],this.selected=``,this.asof=0,this.folded=new Set}static styles=[z,h`
			:host {
				display: block;
			}

			ul {
				margin: 0;
				padding: 0;
				list-style: none;
			}

			ul ul {
				margin-left: 0.6875rem;
				padding-left: 0.5rem;
				border-left: 1px solid var(--line);
			}

			.row {
				display: flex;
				align-items: stretch;
			}

			a,
			button {
				display: flex;
				gap: 0.5rem;
				min-height: 2rem;
				padding: 0.3125rem 0.5rem;
				border: 0;
				border-radius: 0.375rem;
				background: none;
				color: var(--text);
				text-align: start;
				text-decoration: none;
				outline-offset: -2px;
			}

			a,
			.folder {
				flex: 1;
				min-width: 0;
			}

			.fold {
				flex: none;
				align-items: center;
				justify-content: center;
				width: 1.75rem;
				padding: 0;
			}

			a:hover,
			button:hover {
				background: var(--panel);
			}

			a[aria-current] {
				background: var(--panel);
				box-shadow: inset 3px 0 0 var(--link);
				font-weight: 600;
			}

			status-mark,
			.sign {
				flex: none;
				height: 1.45em;
				align-items: center;
			}

			.sign {
				width: 0.75em;
				color: var(--muted);
			}

			.sign::before {
				content: "▾";
			}

			[aria-expanded="false"] .sign::before {
				content: "▸";
			}

			.what {
				flex: 1;
				min-width: 0;
				overflow-wrap: anywhere;
			}

			.name {
				display: block;
			}

			.folder .name {
				font-weight: 600;
			}

			.key,
			.found,
			.of {
				display: block;
				color: var(--muted);
				font-size: 0.75rem;
				font-weight: 400;
			}

			.key {
				font-family: var(--mono);
			}

			.before {
				color: var(--muted);
			}

			.found {
				color: var(--failed);
			}

			run-time {
				flex: none;
				color: var(--muted);
				font-size: 0.8125rem;
				font-weight: 400;
				line-height: 1.675;
				font-variant-numeric: tabular-nums;
			}

			@media (pointer: coarse) {
				a,
				button {
					min-height: 2.75rem;
					padding-block: 0.625rem;
				}

				.fold {
					width: 2.75rem;
				}
			}
		`];willUpdate(e){if(!e.has(`selected`))return;let t=[...this.folded].filter(e=>!this.selected.startsWith(`${e}/`));t.length<this.folded.size&&(this.folded=new Set(t))}render(){return this.#e(jt(this.steps))}updated(e){e.has(`selected`)&&this.renderRoot.querySelector(`[aria-current]`)?.scrollIntoView({block:`nearest`})}#e(e){return w`
			<ul role="list">
				${j(e,e=>e.path,e=>w`<li>${this.#t(e)}</li>`)}
			</ul>
		`}#t(e){let{path:t,step:n,rows:r}=e;if(n&&r.length===0)return this.#n(e,n);let i=!this.folded.has(t);return w`
			<div class="row">
				${n?w`
								<button
									class="fold"
									aria-expanded=${i}
									aria-label="Steps below ${e.label}"
									@click=${()=>this.#i(t,i)}
								>
									<span class="sign"></span>
								</button>
								${this.#n(e,n)}
							`:w`
								<button class="folder" aria-expanded=${i} @click=${()=>this.#i(t,i)}>
									<span class="sign" aria-hidden="true"></span>
									<status-mark brief .status=${e.sum.status}></status-mark>
									${this.#r(e)}
								</button>
							`}
			</div>
			${i?this.#e(r):E}
		`}#n(e,t){return w`
			<a
				href="#${encodeURIComponent(t.key)}"
				aria-current=${t.key===this.selected?`true`:E}
			>
				<status-mark brief .status=${t.status}></status-mark>
				${this.#r(e)}
			</a>
		`}#r({label:e,key:t,step:n,sum:r}){let{failures:i,errors:a}=n?{failures:n.tests?.failed??0,errors:n.annotations?.error??0}:r,o=[i>0&&N(i,`failed test`),a>0&&N(a,`error`)].filter(Boolean).join(`, `),s=n?.name?void 0:t?.slice(0,-e.length);return w`
			<span class="what">
				<bdi class="name" title=${t??e}>
					${s?w`<span class="before">${B(s)}</span>`:E}${B(e)}
				</bdi>
				${t===void 0||s?E:w`<bdi class="key" title=${t}>${B(t)}</bdi>`}
				${n?E:w`<span class="of">${N(r.steps,`step`)}</span>`}
				${o===``?E:w`<span class="found">${o}</span>`}
			</span>
			<run-time
				.started=${n?n.started_at:r.started}
				.finished=${n?n.finished_at:r.finished}
				.asof=${this.asof}
			></run-time>
		`}#i(e,t){let n=new Set(this.folded);t?n.add(e):n.delete(e),this.folded=n}};customElements.define(`step-tree`,Yt);var Xt=[`queued`,`running`,`passed`,`failed`,`canceled`,`skipped`,`lost`];function Zt(e){return Xt.includes(e)}var Qt=[`build`,`step`,`log`,`note`,`snapshot`,`reset`,`live`,`ping`,`end`,`unavailable`];function H(e){return e!==`queued`&&e!==`running`}function U(e,t){return e!==`passed`&&e!==`failed`&&e!==`canceled`||e===t}function $t(e,t){let n=t.split(`/`).map(encodeURIComponent).join(`/`);return`/api/v1/builds/${encodeURIComponent(e)}/steps/${n}`}var en=Ye(class extends Xe{render(e){return T}update(e,[t]){let{style:n}=e.element;for(let[e,r]of Object.entries(t))n.setProperty(e,String(r));return T}});function tn(e,t,n){let r=H(e.status),i=I(e.created_at),a=Math.max(...t.flatMap(e=>[I(e.started_at)??0,I(e.finished_at)??0]),I(e.finished_at)??0,i??0),o=r?a:Math.max(n,a),s=new Map;for(let e of t){let t=I(e.started_at);if(t===void 0)continue;let n=I(e.finished_at),r=n??o,i=n!==void 0||!H(e.status);s.set(e.key,{started:t,finished:Math.max(t,r),known:i})}let c=Math.min(i??o,...[...s.values()].map(e=>e.started)),l=Math.max(1,o-c),u=e=>Math.min(1,Math.max(0,(e-c)/l)),d=rn(t,s),f=new Set(d),p=new Map(t.map(e=>[e.key,e])),m=t.map(e=>{let t=s.get(e.key),n=nn(e,p,s,i??c),a=t?.started??(e.status===`queued`&&!r?o:void 0),l=n!==void 0&&a!==void 0;return{step:e,start:t&&t.started-c,queuedFor:l?Math.max(0,a-n):void 0,took:t?.known?t.finished-t.started:void 0,queue:l&&a>n?{from:u(n),to:u(a)}:void 0,run:t&&{from:u(t.started),to:u(t.finished)},critical:f.has(e)}}),h=e=>e.start??Number.MAX_VALUE;return{rows:m.sort((e,t)=>h(e)-h(t)),length:l,ticks:un(l),now:r?void 0:u(o),critical:d}}function nn(e,t,n,r){let i=r;for(let a of e.needs??[]){let o=t.get(a);if(o){if(!H(o.status)&&!e.started_at)return;i=Math.max(i,n.get(a)?.finished??r)}}return i}function rn(e,t){let n=e.filter(({key:e})=>t.has(e)),r=e.some(e=>e.needs?.length),i=e=>e.reduce((e,t)=>e&&a(e)>=a(t)?e:t,void 0),a=({key:e})=>t.get(e)?.finished??0,o=[];for(let e=i(n);e&&!o.includes(e);){o.unshift(e);let{key:s,needs:c}=e,l=t.get(s)?.started??0;e=i(r?n.filter(e=>c?.includes(e.key)):n.filter(e=>e.key!==s&&a(e)<=l))}return o}var an=1e3,on=60*an,sn=60*on,cn=[1,2,5,10,20,50,100,200,500,...[1,2,5,10,15,30].map(e=>e*an),...[1,2,5,10,15,30].map(e=>e*on),...[1,2,3,6,12,24,48].map(e=>e*sn)],ln=6;function un(e){let t=Math.ceil(e/5/(24*sn))*24*sn,n=cn.find(t=>e/t<ln)??t;return Array.from({length:Math.floor(e/n)+1},(e,t)=>t*n)}function dn(e){if(e===0)return`0`;let t=[[24*sn,`d`],[sn,`h`],[on,`m`],[an,`s`],[1,`ms`]],n=[],r=e;for(let[e,i]of t)r>=e&&n.push(`${Math.floor(r/e)} ${i}`),r%=e;return n.join(` `)}var fn=class extends k{static properties={build:{attribute:!1},steps:{attribute:!1},selected:{},asof:{type:Number},looked:{state:!0}};#e=new V(this);#t=new ResizeObserver(()=>this.#o());constructor(){super(),this.steps=[],this.selected=``,this.asof=0,this.looked=``}static styles=[z,Rt,h`
			:host {
				display: block;
				container-type: inline-size;
				font-size: 0.875rem;
			}

			.path,
			.legend {
				margin: 0 0 0.75rem;
				overflow-wrap: anywhere;
			}

			.legend {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem 1.25rem;
				color: var(--muted);
				font-size: 0.8125rem;
			}

			.legend span {
				display: inline-flex;
				align-items: center;
				gap: 0.375rem;
			}

			.legend i {
				width: 1.5rem;
				height: 0.625rem;
				color: var(--muted);
			}

			.chart {
				position: relative;
			}

			table {
				width: 100%;
				border-collapse: collapse;
				font-variant-numeric: tabular-nums;
			}

			th,
			td {
				padding: 0.25rem 0.5rem;
				border-bottom: 1px solid var(--line);
				font-weight: 400;
				text-align: start;
				vertical-align: top;
			}

			thead th {
				color: var(--muted);
				font-size: 0.8125rem;
				white-space: nowrap;
			}

			.number {
				width: 1%;
				padding-left: 1rem;
				text-align: end;
				white-space: nowrap;
			}

			tbody th {
				min-width: 9rem;
				overflow-wrap: anywhere;
			}

			tbody tr:hover,
			tbody tr:focus-within {
				background: var(--panel);
			}

			.chosen {
				box-shadow: inset 3px 0 0 var(--link);
			}

			.needed {
				background: var(--highlight);
			}

			th a {
				display: inline-block;
				min-height: 1.5rem;
				color: var(--text);
				text-decoration: none;
			}

			th a:hover {
				text-decoration: underline;
			}

			th status-mark {
				height: 1.45em;
				vertical-align: top;
			}

			th .key {
				display: block;
			}

			.axis,
			.lane {
				position: relative;
				width: 60%;
				padding-inline: 0;
			}

			.axis div,
			.lane div {
				position: relative;
				height: 1.5rem;
			}

			.axis span {
				position: absolute;
				left: calc(var(--at) * 100%);
				padding-left: 0.25rem;
				white-space: nowrap;
				border-left: 1px solid var(--control);
			}

			.axis .end {
				padding: 0 0.25rem 0 0;
				border: 0;
				translate: -100% 0;
			}

			.lane {
				background-image: linear-gradient(to right, var(--line) 1px, transparent 1px);
				background-size: calc(var(--tick) * 100%) 100%;
			}

			/* Now. */
			.lane::after {
				content: "";
				position: absolute;
				inset: 0 auto 0 calc(var(--now) * 100% - 2px);
				border-left: 2px dashed var(--link);
			}

			.still .lane::after {
				display: none;
			}

			.queue,
			.run {
				position: absolute;
				top: 0.3125rem;
				left: calc(var(--from) * 100%);
				width: max(3px, calc((var(--to) - var(--from)) * 100%));
				height: 0.875rem;
				border-radius: 0.125rem;
			}

			.queue,
			i.queue {
				background: repeating-linear-gradient(
					-45deg,
					transparent 0 3px,
					var(--muted) 3px 4.5px
				);
				border: 1px solid var(--muted);
				border-radius: 0.125rem;
			}

			.run,
			i.run {
				position: absolute;
				background: var(--bar, var(--muted));
			}

			.legend i {
				position: static;
			}

			.passed {
				--bar: var(--passed);
			}

			.failed {
				--bar: var(--failed);
			}

			.running {
				--bar: var(--running);
			}

			.canceled {
				--bar: var(--canceled);
			}

			.lost {
				--bar: var(--stale);
			}

			.critical {
				outline: 2px solid var(--text);
				outline-offset: 1px;
			}

			.label {
				position: absolute;
				top: 0.0625rem;
				padding: 0 0.375rem;
				font-size: 0.75rem;
				line-height: 1.375rem;
				white-space: nowrap;
			}

			.after {
				left: max(calc(var(--to) * 100%), calc(var(--from) * 100% + 3px));
			}

			.before {
				right: calc((1 - var(--from)) * 100%);
			}

			.inside {
				right: calc((1 - var(--to)) * 100%);
				color: var(--page);
			}

			svg {
				position: absolute;
				inset: 0;
				width: 100%;
				height: 100%;
				overflow: visible;
				pointer-events: none;
				fill: none;
				stroke: var(--link);
				stroke-width: 1.5;
			}

			svg .head {
				fill: var(--link);
				stroke: none;
			}

			/* Bars below names; the roles say that it still is a table. */
			@container (max-width: 44rem) {
				thead tr,
				tbody tr {
					display: grid;
					grid-template-columns: repeat(3, auto) 1fr;
					column-gap: 0.75rem;
					padding: 0.375rem 0.25rem;
					border-bottom: 1px solid var(--line);
				}

				th,
				td {
					width: auto;
					padding: 0;
					border: 0;
				}

				thead th:not(.axis) {
					position: absolute;
					width: 1px;
					height: 1px;
					overflow: hidden;
					clip-path: inset(50%);
				}

				tbody th,
				.axis,
				.lane {
					grid-column: 1 / -1;
					width: auto;
				}

				.number {
					width: auto;
					padding: 0;
					color: var(--muted);
					font-size: 0.8125rem;
				}

				.number:empty {
					display: none;
				}

				.number[data-of]::before {
					content: attr(data-of) " ";
				}
			}

			@media (pointer: coarse) {
				th a {
					min-height: 2.75rem;
					padding-block: 0.625rem;
				}
			}
		`];connectedCallback(){super.connectedCallback(),this.#t.observe(this)}disconnectedCallback(){super.disconnectedCallback(),this.#t.disconnect()}willUpdate(e){this.#e.wanted=!(!this.build||H(this.build.status))&&this.asof===0}render(){if(!this.build)return E;if(this.steps.length===0)return w`<p class="muted">This build has no steps yet.</p>`;let e=tn(this.build,this.steps,this.asof||Date.now()),[,t=e.length*2]=e.ticks,n=this.steps.find(({key:e})=>e===this.looked)?.needs??[];return w`
			${this.#n(e)}
			<p class="legend" aria-hidden="true">
				<span><i class="queue"></i> queued</span>
				<span><i class="run"></i> ran</span>
				<span><i class="run critical"></i> on the critical path</span>
				${e.now===void 0?E:w`<span>┆ now</span>`}
			</p>
			<div class="chart">
				<table
					role="table"
					class=${e.now===void 0?`still`:``}
					@pointerover=${this.#s}
					@pointerleave=${this.#c}
					@focusin=${this.#s}
					@focusout=${this.#c}
					${en({"--tick":t/e.length,"--now":e.now??0})}
				>
					<caption class="unseen">When each step waited and ran</caption>
					<thead role="rowgroup">
						<tr role="row">
							<th role="columnheader" scope="col">Step</th>
							<th role="columnheader" scope="col" class="number">Start</th>
							<th role="columnheader" scope="col" class="number">Queued for</th>
							<th role="columnheader" scope="col" class="number">Duration</th>
							<td class="axis" aria-hidden="true"><div>${this.#r(e)}</div></td>
						</tr>
					</thead>
					<tbody role="rowgroup">
						${j(e.rows,({step:e})=>e.key,e=>this.#i(e,n.includes(e.step.key)))}
					</tbody>
				</table>
				<svg aria-hidden="true"></svg>
			</div>
		`}updated(e){this.#o()}#n({critical:e,length:t}){if(e.length<2)return E;let n=e.map(({name:e,key:t})=>e||t);return w`<p class="path">
			Critical path: ${(n.length>6?[...n.slice(0,3),`…`,...n.slice(-2)]:n).map((e,t)=>w`${t>0?` → `:``}<bdi>${B(e,48)}</bdi>`)},
			in a build of ${P(t)}.
		</p>`}#r({ticks:e,length:t}){return e.map(e=>w`<span class=${e/t>.9?`end`:``} ${en({"--at":e/t})}>${dn(e)}</span>`)}#i(e,t){let{step:n,start:r,queuedFor:i,took:a}=e,o=n.key===this.selected;return w`
			<tr
				role="row"
				data-key=${n.key}
				class="${n.status} ${o?`chosen`:``} ${t?`needed`:``}"
			>
				<th role="rowheader" scope="row">
					<a href="#${encodeURIComponent(n.key)}" aria-current=${o?`true`:E}>
						<status-mark brief .status=${n.status}></status-mark>
						${Lt(n)}
					</a>
					<span class="unseen">
						${e.critical?`On the critical path.`:``}
						${n.needs?.length?`Needs ${n.needs.join(`, `)}.`:``}
					</span>
				</th>
				<td role="cell" class="number" data-of="at">${r===void 0?``:F(r)}</td>
				<td role="cell" class="number" data-of="queued">${i?mn(i,r===void 0):``}</td>
				<td role="cell" class="number" data-of="took">${a===void 0?``:mn(a,n.status===`running`)}</td>
				<td class="lane" aria-hidden="true">
					<div>
						${e.queue?w`<span class="queue" ${pn(e.queue)}></span>`:E}
						${e.run?w`<span class="run ${e.critical?`critical`:``}" ${pn(e.run)}></span>`:E}
						${this.#a(e)}
					</div>
				</td>
			</tr>
		`}#a({step:e,run:t,queue:n,took:r,queuedFor:i}){let a=t??n,o=t?r:i;if(!a||o===void 0)return E;let s=(t&&n?n:a).from,c=a.to<.82?`after`:s>.18?`before`:`inside`,l=mn(o,!t||e.status===`running`);return!t&&c===`inside`?E:w`<span class="label ${c}" ${pn({from:s,to:a.to})}>${l}</span>`}#o(){let e=this.renderRoot.querySelector(`svg`);if(!e)return;let t=this.steps.find(({key:e})=>e===this.looked)?.needs??[],n=new Map,r=new Set([this.looked,...t]);for(let e of this.renderRoot.querySelectorAll(`tr[data-key]`)){let t=e.querySelectorAll(`.run, .queue`),i=e.dataset.key??``,a=i===this.looked?t[0]:t[t.length-1];r.has(i)&&a&&n.set(i,a.getBoundingClientRect())}let i=e.getBoundingClientRect(),a=n.get(this.looked);e.replaceChildren();for(let r of a?t:[]){let t=n.get(r);t&&a&&e.append(...gn(t,a,i))}}#s(e){let t=e.target instanceof Element?e.target.closest(`tr`):null;this.looked=t?.dataset.key??``}#c(){let e=this.shadowRoot?.activeElement?.closest(`tr`);this.looked=e?.dataset.key??``}},pn=({from:e,to:t})=>en({"--from":e,"--to":t});function mn(e,t){return t?F(e):P(e)}var hn=`http://www.w3.org/2000/svg`;function gn(e,t,n){let[r,i]=[e.right-n.left,e.top+e.height/2-n.top],[a,o]=[t.left-n.left,t.top+t.height/2-n.top],s=Math.min(r+6,a-8),c=document.createElementNS(hn,`path`);c.setAttribute(`d`,`M${r} ${i}H${Math.max(r,s)}V${(i+o)/2}H${s}V${o}H${a-5}`);let l=document.createElementNS(hn,`path`);return l.setAttribute(`class`,`head`),l.setAttribute(`d`,`M${a} ${o}l-6 -4v8z`),[c,l]}customElements.define(`step-waterfall`,fn);var _n=1e3,W=new Set,vn=new Set,yn=``,bn,xn=class{group;keys;constructor(e,t,n){this.group=t,this.keys=n,e.addController(this)}hostConnected(){W.size===0&&addEventListener(`keydown`,wn),W.add(this)}hostDisconnected(){W.delete(this),W.size===0&&removeEventListener(`keydown`,wn)}};function Sn(){let e=new Map;for(let{group:t,keys:n}of W)e.set(t,[...e.get(t)??[],...n]);return e}function Cn(e){vn.add(e),e.showModal()}function wn(e){if(e.defaultPrevented||e.isComposing||Tn())return;let t=En(e),n=e.composedPath()[0];if(t===``||!t.startsWith(`Mod+`)&&!Dn(t,n))return;let r=On(`${yn} ${t}`)??On(t);clearTimeout(bn),yn=``,r?(e.preventDefault(),r.run(e)):On(`${t} `,!0)&&(yn=t,bn=setTimeout(()=>{yn=``},_n))}function Tn(){for(let e of vn)e.open&&e.isConnected||vn.delete(e);return vn.size>0}function En(e){let{key:t,ctrlKey:n,metaKey:r,altKey:i}=e;return(e.getModifierState(`AltGraph`)||i&&/^[^\p{L}\p{N}\s]$/u.test(t))&&!r?t:i?``:n||r?`Mod+${t.toLowerCase()}`:t}function Dn(e,t){return o.get(`keys`)?t instanceof HTMLElement?t.isContentEditable||t.matches(`textarea, select`)||t instanceof HTMLInputElement&&!t.matches(`[type=checkbox], [type=button]`)?!1:![`Enter`,` `].includes(e)||!t.matches(`a, button, summary, input, [role=button]`):!0:!1}function On(e,t=!1){for(let{keys:n}of[...W].reverse()){let r=n.find(n=>n.keys.some(n=>t?n.startsWith(e):n===e));if(r)return r}}var kn={build:void 0,steps:[],places:new Map,ended:!1};function An(e,t){switch(t.kind){case`whole`:return jn(e,t.data);case`build`:{if(e.build&&!U(e.build.status,t.data.status))return e;let n=t.data.expected_s??e.build?.expected_s??null;return{...e,build:{...t.data,expected_s:n}}}case`step`:return Mn(e,t.data);case`log`:return e.places.has(t.data.step)?e:Mn(e,{key:t.data.step,status:`running`});case`end`:return e.ended?e:{...e,ended:!0};case`reset`:return kn;default:return e}}function jn(e,{steps:t,...n}){let r=e.build,i=r!==void 0&&!U(r.status,n.status),a={...e,ended:!1,build:i?r:n};return(t??[]).reduce(Mn,a)}function Mn(e,t){let n=e.places.get(t.key);if(n===void 0)return{...e,steps:[...e.steps,t],places:new Map(e.places).set(t.key,e.steps.length)};let r=e.steps[n];return r&&!U(r.status,t.status)?e:{...e,steps:e.steps.with(n,t)}}var Nn={passed:`#116329`,failed:`#b3212b`,running:`#7d4e00`,queued:`#4a525c`,canceled:`#5b3fa8`,skipped:`#4a525c`,lost:`#8a3b00`},Pn;function Fn({status:e,title:t}){document.title!==t&&(document.title=t);let n=document.querySelector(`link[rel=icon]`);if(!n)return;Pn??=n.href;let r=e===void 0?Pn:In(e);n.href!==r&&(n.href=r)}function In(e){let{line:t,solid:n}=Kt[e]??Kt.queued,r=`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 20 20" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"><rect x="-2" y="-2" width="20" height="20" rx="4.5" fill="${Nn[e]??Nn.queued}" stroke="none"/><path d="${t}"/><path fill="#fff" d="${n}"/></svg>`;return`data:image/svg+xml,${encodeURIComponent(r)}`}function Ln(e){return`/api/v1/streams?${e.map(({log:e,after:t,steps:n})=>{let r=[[`log`,e]];if(t!==``&&r.push([`after`,t]),e!==`feed`&&n.length===0&&r.push([`logs`,`none`]),e!==`feed`&&n.length<=100)for(let e of n)r.push([`step`,e]);return r.map(([e,t=``])=>`${e}=${encodeURIComponent(t)}`).join(`;`)}).join(`&`)}`}function Rn(e,t){let n=e.split(`.`);return n.length===t?n.map(e=>e===`?`?``:e):[]}var zn=6e4,Bn=2e4,Vn=2e3,Hn=3e4;function Un(e,t=Math.random()){return 100+t*Math.min(Hn,1e3*2**e)}var Wn=class{#e;#t={name:`connecting`};#n;#r=[];#i=0;#a=0;#o=!1;#s=0;#c=!1;#l;#u;constructor(e){this.#e=e}get state(){return this.#t}get news(){return this.#a}get pausing(){return this.#c}open(e){this.#m(),this.#c=!1,this.#r=e.map(({log:e})=>e),this.#i=Date.now(),this.#t.name!==`live`&&(this.#a=this.#i),this.#t.name===`reconnecting`&&this.#h({name:`reconnecting`,at:void 0});let t=new EventSource(Ln(e));this.#n=t;for(let e of Qt)t.addEventListener(e,n=>{t===this.#n&&this.#d(e,n)});t.addEventListener(`error`,()=>{t===this.#n&&this.#f(t)}),this.#l??=setTimeout(this.#p,zn)}close(){this.#m(),clearTimeout(this.#l),this.#l=void 0}later(){this.#m(),this.#c=!0;let e=Un(this.#s++);this.#h({name:`reconnecting`,at:Date.now()+e}),this.#u=setTimeout(()=>this.#e.due(),e)}hurry(e){let t=Date.now(),n=t-this.#i<Vn;this.#n&&(n||!e&&t-this.#a<Bn)||(this.#t.name===`live`&&!e&&this.#h({name:`reconnecting`,at:void 0}),this.#e.due())}#d(e,t){if(this.#a=Date.now(),this.#o=!0,e===`unavailable`){this.#h({name:`reconnecting`,at:void 0});return}this.#s=0;let n=JSON.parse(t.data),r={kind:e,id:t.lastEventId,data:n};n.log!==void 0&&this.#e.heard(n.log,r,t.data.length);for(let[e,n]of Rn(t.lastEventId,this.#r.length).entries()){let t=this.#r[e];t!==void 0&&n!==``&&this.#e.moved(t,n)}this.#t.name===`live`?e===`ping`&&this.#e.changed(!1):this.#h({name:`live`})}#f(e){let t=e.readyState===EventSource.CONNECTING&&this.#o;this.#o=!1,t?this.#h({name:`reconnecting`,at:void 0}):e.readyState===EventSource.CONNECTING?this.later():(this.#m(),this.#c=!0,this.#h({name:`reconnecting`,at:void 0}),this.#e.closed())}#p=()=>{let e=Date.now()-Math.max(this.#a,this.#i),t=e>=zn;this.#l=setTimeout(this.#p,t?zn:zn-e),t&&this.#n&&this.later()};#m(){this.#n?.close(),this.#n=void 0,this.#o=!1,clearTimeout(this.#u),this.#u=void 0}#h(e){let t=this.#t.name===`reconnecting`&&e.name===`live`;this.#t=e,this.#e.changed(t)}},Gn=class{#e;#t=`waiting`;#n=new Map;#r=[];#i=0;#a=[];#o=0;#s=0;#c=!1;constructor(e){this.#e=e}get wanted(){return this.#e}get phase(){return this.#t}get told(){return this.#c}get follows(){return this.#t!==`behind`&&this.#t!==`over`}want(e){e.step!==this.#e.step&&(this.#e=e,(this.#t===`joined`||this.#t===`asked`)&&(this.#t=`waiting`))}asked(){this.#t===`waiting`&&(this.#t=`asked`)}again(){(this.#t===`asked`||this.#t===`joined`)&&(this.#t=`waiting`)}join(e,t){if(this.#t!==`asked`)return;this.#t=`joined`,this.#c=!0;let n=[...this.#n.values()];this.#n.clear(),this.#u(e,0,t);for(let{event:e,size:r}of n)this.#u(e,r,t)}hear(e,t,n){if(e.kind===`reset`){if(!this.follows)return;this.#n.clear(),this.again(),this.#c&&this.#u(e,t,n)}else if(this.#t===`waiting`||this.#t===`asked`)(e.kind===`build`||e.kind===`step`)&&this.#l(e,t);else if(this.#t===`joined`){if((e.kind===`log`||e.kind===`note`)&&e.data.step!==this.#e.step)return;this.#u(e,t,n),e.kind===`end`&&this.close()}}close(){this.#t=`over`,this.#n.clear()}batch(e){if(this.#d(e)&&this.#f(),this.#t===`behind`)return;let t={number:++this.#s,events:this.#r};return this.#a.push({number:t.number,size:this.#i,at:e}),this.#r=[],this.#i=0,t}took(e){for(;this.#a[0]&&this.#a[0].number<=e;)this.#o-=this.#a.shift()?.size??0;this.#t===`behind`&&this.#a.length===0&&(this.#t=`waiting`)}#l(e,t){let n=e.kind===`build`?e.data.build_id??``:`${e.data.build_id??``} ${e.data.key}`;this.#n.delete(n),this.#n.set(n,{event:e,size:t})}#u(e,t,n){this.#d(n)&&this.#f(),this.#t!==`behind`&&(this.#r.push(e),this.#i+=t,this.#o+=t)}#d(e){let t=this.#a[0];return!t||this.#t===`over`?!1:this.#o>4194304||e-t.at>15e3}#f(){this.#t=`behind`,this.#n.clear(),this.#r=[],this.#o-=this.#i,this.#i=0}},Kn=5e3,qn=10,Jn=1e4,Yn=class{#e=new Map;#t=new Set;#n=new Map;#r=new Set;#i=!1;#a;attach(e){let t={port:e,subscriber:void 0,log:void 0,last:void 0};e.addEventListener(`message`,e=>{this.#o(t,e.data)}),e.addEventListener(`close`,()=>this.#l(t)),e.start()}#o(e,t){switch(t.say){case`want`:this.#s(e,t.wanted);return;case`took`:e.subscriber?.took(t.number),e.log&&this.#f(e.log);return;case`here`:this.#D(e);return;case`hurry`:e.log&&this.#w(e.log,t.doubt);return;case`bye`:this.#l(e),e.port.close()}}#s(e,t){let n=t.log.toLowerCase();e.subscriber&&e.log?.name===n?e.subscriber.want(t):(this.#l(e),e.subscriber=new Gn(t),e.last=void 0,e.log=this.#e.get(n)??this.#c(n),e.log.pages.add(e),clearTimeout(e.log.idle)),this.#D(e),this.#f(e.log)}#c(e){let t={name:e,pages:new Set,cursor:void 0,stream:void 0,steps:void 0,live:!1,over:!1,finished:void 0,asking:!1,failures:0,at:void 0,retry:void 0,idle:void 0};return this.#e.set(e,t),t}#l(e){let t=e.log;e.log=void 0,e.subscriber=void 0,this.#r.delete(e),t&&(t.pages.delete(e),t.pages.size>0||([...this.#e.values()].every(({pages:e})=>e.size===0)?this.#u(t):t.idle=setTimeout(()=>this.#u(t),Kn)))}#u(e){e.stream?this.#y(e.stream):this.#d(e)}#d(e){clearTimeout(e.retry),clearTimeout(e.idle),e.stream=void 0,this.#e.get(e.name)===e&&this.#e.delete(e.name)}#f(e){if(e.asking||e.at!==void 0)return;let t=[...e.pages].filter(e=>e.subscriber?.phase===`waiting`);if(t.length===0)return;if(e.over||e.cursor===void 0||t.every(t=>Xn(e,t))){this.#p(e,t);return}e.stream&&this.#v(e.stream);let n=t.filter(t=>Xn(e,t));n.length>0&&this.#p(e,n)}async#p(e,t){e.asking=!0;for(let e of t)e.subscriber?.asked();let n=await er(e.name);if(e.asking=!1,this.#e.get(e.name)!==e)return;if(n===`passing`){for(let t of e.pages)t.subscriber?.phase===`asked`&&t.subscriber.again();let t=Un(e.failures++);e.at=Date.now()+t,e.retry=setTimeout(()=>this.#m(e),t),this.#E(e);return}if(`refused`in n){this.#S(e,n.refused);return}e.failures=0,e.finished=n.finished;let r=e.cursor===void 0&&!e.over;r&&(e.cursor=n.cursor);for(let t of e.pages)t.subscriber?.join(n.state,Date.now()),t.subscriber?.phase===`joined`&&(e.live&&t.subscriber.hear($n(`live`,n.cursor),0,Date.now()),e.over&&t.subscriber.hear($n(`end`,n.cursor),0,Date.now()));this.#E(e),r&&(n.final&&await tr(e)===`over`?this.#x(e):this.#e.get(e.name)===e&&this.#h(e)),this.#f(e)}#m(e){clearTimeout(e.retry),e.at=void 0,this.#E(e),this.#f(e)}#h(e){e.stream??=[...this.#t].find(e=>this.#g(e).length<32),e.stream??=this.#_(),this.#v(e.stream)}#g(e){return[...this.#e.values()].filter(t=>t.stream===e)}#_(){let e=new Wn({heard:(t,n,r)=>{let i=this.#e.get(t);i?.stream===e&&i.cursor!==void 0&&this.#b(i,n,r)},moved:(t,n)=>{let r=this.#e.get(t);r?.stream===e&&r.cursor!==void 0&&(r.cursor=n)},changed:t=>{for(let t of this.#g(e))this.#E(t);t&&this.#T()},closed:()=>void this.#C(e),due:()=>this.#y(e)});return this.#t.add(e),e}#v(e){e.pausing||this.#n.has(e)||this.#n.set(e,setTimeout(()=>this.#y(e),qn))}#y(e){clearTimeout(this.#n.get(e)),this.#n.delete(e);for(let t of this.#g(e))t.steps=void 0,[...t.pages].some(e=>e.subscriber?.follows)||(t.stream=void 0,t.cursor=void 0,t.live=!1,t.pages.size===0&&this.#d(t));let t=this.#g(e).filter(e=>e.cursor!==void 0);if(t.length===0)e.close(),this.#g(e).length===0&&this.#t.delete(e);else{for(let e of t)e.steps=Zn(e);e.open(t.map(e=>({log:e.name,after:e.cursor??``,steps:[...e.steps??[]]})));for(let e of t)this.#f(e)}}#b(e,t,n){switch(t.kind){case`end`:this.#x(e);return;case`reset`:e.cursor=void 0,e.live=!1;break;case`live`:e.live=!0;break;case`build`:e.finished=t.data.finished_at}let r=Date.now();for(let i of e.pages)i.subscriber?.hear(t,n,r);this.#E(e),t.kind===`reset`&&this.#f(e)}#x(e){let t=e.stream;e.over=!0,e.stream=void 0;let n=$n(`end`,e.cursor??``);for(let t of e.pages)t.subscriber?.phase===`joined`&&t.subscriber.hear(n,0,Date.now());this.#E(e),t&&this.#g(t).length===0&&this.#y(t),this.#f(e)}#S(e,t){for(let n of e.pages)n.subscriber?.close(),n.last={name:`refused`,status:t};this.#E(e),this.#d(e)}async#C(e){let t=this.#g(e).filter(e=>e.cursor!==void 0),n=await Promise.all(t.map(tr));if(!this.#t.has(e)||!e.pausing)return;let r=!1;for(let[i,a]of t.entries()){let t=n[i];t!==void 0&&t!==`passing`&&a.stream===e&&(r=!0,t===`over`?this.#x(a):this.#S(a,t.refused))}r?this.#y(e):e.later()}#w(e,t){e.at!==void 0&&this.#m(e),e.stream?.hurry(t)}async#T(){try{let e=await fetch(`/`,{cache:`no-store`,signal:AbortSignal.timeout(Jn)});if(!e.ok)return;let t=/<script\b[^>]*\ssrc="([^"]+)"/.exec(await e.text())?.[1];if(t===void 0||t===this.#a)return;this.#a=t;for(let e of this.#e.values())this.#E(e)}catch{}}#E(e){for(let t of e.pages)this.#r.add(t);this.#i||(this.#i=!0,setTimeout(()=>{this.#i=!1;for(let e of this.#r)this.#D(e)},0))}#D(e){this.#r.delete(e);let t=e.subscriber?.batch(Date.now());if(!t)return;let n={...t,state:Qn(e),news:e.log?.stream?.news??Date.now(),script:this.#a};e.port.postMessage(n)}};function Xn(e,t){let n=t.subscriber?.wanted.step;return n===void 0||e.steps===void 0||e.steps.has(n)}function Zn(e){let t=new Set;for(let{subscriber:n}of e.pages)n?.follows&&n.wanted.step!==void 0&&t.add(n.wanted.step);return t}function Qn({log:e,subscriber:t,last:n}){if(n)return n;if(!e||!t)return{name:`connecting`};if(e.over&&t.phase===`over`)return{name:`finished`,at:e.finished?Date.parse(e.finished):void 0};if(e.at!==void 0)return{name:`reconnecting`,at:e.at};let r=e.stream?.state;return e.live&&t.told&&r||r?.name===`reconnecting`?r:e.failures>0||t.told?{name:`reconnecting`,at:void 0}:{name:`connecting`}}function $n(e,t){return{kind:e,id:t}}async function er(e){if(e===`feed`){let e=await nr(`/api/v1/events?limit=1`);if(e===void 0||`refused`in e)return e??`passing`;let{events:t,next:n}=e.body,r=t[0];return r?.kind===`snapshot`?{state:{kind:`snapshot`,id:n,data:r.data},cursor:n,final:!1,finished:void 0}:`passing`}let t=await nr(`/api/v1/builds/${encodeURIComponent(e)}`);if(t===void 0||`refused`in t)return t??`passing`;let{last_event_id:n,...r}=t.body,i=r.status===`passed`||r.status===`failed`||r.status===`canceled`;return{state:{kind:`whole`,id:n,data:r},cursor:n,final:i,finished:r.finished_at}}async function tr(e){let t=await nr(`${e.name===`feed`?`/api/v1/events?limit=1`:`/api/v1/builds/${encodeURIComponent(e.name)}/events?logs=none&limit=1`}&after=${encodeURIComponent(e.cursor??``)}`);return t===void 0?`passing`:`refused`in t?t:t.body.end&&t.body.events.length===0?`over`:`passing`}async function nr(e){try{let t=await fetch(e,{headers:{Accept:`application/json`},cache:`no-store`,signal:AbortSignal.timeout(Jn)});return rr(t.status)?{refused:t.status}:t.ok?{body:await t.json()}:void 0}catch{return}}function rr(e){return e>=400&&e<500&&e!==408&&e!==429}var ir=`/assets/hub-worker-DgXdyEv6.js`,ar=5e3,or=2,sr=`stepcast-upgraded`,cr,lr=`SharedWorker`in globalThis,ur=globalThis.trustedTypes?.createPolicy(`stepcast`,{createScriptURL(e){if(e!==ir)throw TypeError(`${e} is no script of ours.`);return e}}),dr=class{#e;#t;#n;#r;#i={name:`connecting`};#a={name:`connecting`};#o=0;#s;#c=navigator.onLine!==!1;#l=0;#u=!1;#d;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n}open(){addEventListener(`online`,this.#x),addEventListener(`offline`,this.#S),addEventListener(`pagehide`,this.#C),addEventListener(`pageshow`,this.#w),document.addEventListener(`visibilitychange`,this.#T),document.addEventListener(`resume`,this.#T),this.#f()}close(){removeEventListener(`online`,this.#x),removeEventListener(`offline`,this.#S),removeEventListener(`pagehide`,this.#C),removeEventListener(`pageshow`,this.#w),document.removeEventListener(`visibilitychange`,this.#T),document.removeEventListener(`resume`,this.#T),this.#m()}want(e){this.#e=e,this.#g({say:`want`,wanted:e})}retryNow(){this.#g({say:`hurry`,doubt:!0})}#f(){if(this.#m(),this.#b())return;let e=this.#p();this.#r=e,this.#l=0,this.#u=!1,e.addEventListener(`message`,t=>{e===this.#r&&this.#_(t.data)}),e.start(),this.#g({say:`want`,wanted:this.#e}),this.#d=setInterval(this.#v,ar),this.#y()}#p(){if(lr)try{let e=ur?.createScriptURL(ir)??ir,t=new SharedWorker(e,{name:`stepcast`});return t.addEventListener(`error`,()=>{t.port===this.#r&&this.#h()}),t.port}catch{lr=!1}cr??=new Yn;let{port1:e,port2:t}=new MessageChannel;return cr.attach(e),t}#m(){clearInterval(this.#d),this.#g({say:`bye`}),this.#r?.close(),this.#r=void 0}#h(){this.#u||(lr=!1),this.#a.name!==`connecting`&&(this.#a={name:`reconnecting`,at:void 0}),this.#f()}#g(e){this.#r?.postMessage(e)}#_(e){this.#u=!0,this.#l=0,this.#a=e.state,this.#o=e.news,this.#s!==void 0&&e.news>this.#s&&(this.#s=void 0),e.events.length>0&&this.#t(e.events),this.#g({say:`took`,number:e.number}),e.script!==void 0&&e.script!==pr()&&dispatchEvent(new Event(sr)),this.#y(),this.#b()&&this.#m()}#v=()=>{this.#l>=or?this.#h():(this.#l++,this.#g({say:`here`}),this.#y())};#y(){let e=this.#a;!this.#b()&&this.#s!==void 0?e={name:`offline`}:e.name===`live`&&Date.now()-this.#o>45e3&&(e={name:`stale`,news:this.#o}),fr(e,this.#i)||(this.#i=e,this.#n(e))}#b(){return this.#a.name===`finished`||this.#a.name===`refused`}#x=()=>{this.#c=!0,this.#s=void 0,this.retryNow(),this.#y()};#S=()=>{this.#c&&(this.#s=Date.now()),this.#y()};#C=()=>this.#m();#w=e=>{e.persisted&&(this.#a.name===`live`&&(this.#a={name:`reconnecting`,at:void 0}),this.#f())};#T=()=>{document.hidden||(this.#y(),this.#g({say:`hurry`,doubt:!1}))}};function fr(e,t){return JSON.stringify(e)===JSON.stringify(t)}function pr(){return document.querySelector(`script[src]`)?.getAttribute(`src`)}var mr=class{state;connection={name:`connecting`};asOf=Date.now();#e;#t;#n=!1;constructor(e,t,n,r){this.#e=e,this.state=n,this.#t=new dr(t,e=>{for(let t of e)this.update(r(this.state,t))},t=>{this.connection.name===`live`&&(this.asOf=Date.now()),t.name===`stale`&&(this.asOf=t.news),this.connection=t,e.dispatchEvent(new CustomEvent(`connection`,{detail:t,bubbles:!0,composed:!0})),this.#i()}),e.addController(this)}hostConnected(){this.#t.open(),addEventListener(`stepcast-retry`,this.#r)}hostDisconnected(){this.#t.close(),removeEventListener(`stepcast-retry`,this.#r)}want(e){this.#t.want(e)}update(e){e!==this.state&&(this.state=e,this.#i())}#r=()=>this.#t.retryNow();#i(){if(this.#n)return;this.#n=!0;let e=()=>{cancelAnimationFrame(t),clearTimeout(n),this.#n=!1,this.#e.requestUpdate()},t=requestAnimationFrame(e),n=setTimeout(e,250)}},hr=/^([^:]*)(?::L([1-9]\d{0,9})(?:-L?([1-9]\d{0,9}))?)?$/;function gr(e){let[,t=``,n,r]=hr.exec(e.replace(/^#/,``))??[],i=``;try{i=decodeURIComponent(t)}catch{}if(n===void 0)return{step:i,lines:void 0};let[a,o]=[Number(n),Number(r??n)];return{step:i,lines:[Math.min(a,o),Math.max(a,o)]}}function _r(e,t){let n=`#${encodeURIComponent(e)}`;return t?t[0]===t[1]?`${n}:L${t[0]}`:`${n}:L${t[0]}-L${t[1]}`:n}var vr=16777216,yr={fg:void 0,bg:void 0,bold:!1,dim:!1,italic:!1,underline:!1,inverse:!1,conceal:!1,strike:!1,overline:!1},br=/\x1b(?:\[([0-?]*)([ -/]*)([@-~])|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[()*+][ -~]|[78=>cDEHM])|[\x00-\x08\x0a-\x1f\x7f]+?/g,xr=1e4,Sr=/\r$/,Cr=/^\x1b\]8;[^;]*;(.*?)(?:\x07|\x1b\\)$/;function wr(e,t){let n=[],r=e.replace(Sr,``),i=0,a,o=e=>{n.push(a?{kind:`text`,text:e,pen:t,href:a}:{kind:`text`,text:e,pen:t})},s=!1;for(let e of r.matchAll(br)){e.index>i&&o(r.slice(i,e.index));let c=e[0];if(i=e.index+c.length,c.length===1){s||=c===`\r`||c===`\b`,n.push({kind:`control`,text:c});continue}n.push({kind:`escape`,text:c}),e[3]===`m`&&e[2]===``?t=Mr(t,e[1]??``):s||=e[3]===`D`||e[3]===`G`;let l=Cr.exec(c);l&&(a=Tr(l[1]))}return i<r.length&&o(r.slice(i)),r.length<e.length&&n.push({kind:`escape`,text:`\r`}),s?Er(n):n}function Tr(e){return e&&/^https?:\/\//i.test(e)&&URL.canParse(e)?e:void 0}function Er(e){let t=[],n=0;for(let[r,{kind:i,text:a}]of e.entries())if(i===`control`)a===`\r`?n=0:a===`\b`&&(n=Math.max(0,n-1));else if(i===`escape`)n=Or(a,n,t);else{let e=0;for(let i of a)t[n++]={char:i,piece:r,at:e},e+=i.length}let r=t.filter(e=>e!==void 0),i=r.every((e,t)=>{let n=r[t-1];return!n||n.piece<e.piece||n.piece===e.piece&&n.at<e.at}),a=[];for(let{piece:e,at:t}of r)(a[e]??=new Set).add(t);let o=[],s=[],c=e=>{let t=s.at(-1);i?t?.kind===`escape`?s[s.length-1]={...t,text:t.text+e}:s.push({kind:`escape`,text:e}):o.push(e)};for(let[t,n]of e.entries())if(n.kind===`escape`||n.text===`\r`||n.text===`\b`)c(n.text);else if(n.kind===`control`)s.push(n);else if(!a[t])c(n.text);else for(let{stay:e,text:r}of Dr(n.text,a[t]))e?s.push({...n,text:r}):c(r);if(i)return s;let l=r.map(({char:t,piece:n})=>({...e[n],text:t})),u=s.filter(({kind:e})=>e===`control`);return[{kind:`escape`,text:o.join(``)},...l,...u]}function Dr(e,t){let n=[],r=0,i=0,a;for(let o of e){let s=t.has(i);a!==void 0&&s!==a&&(n.push({stay:a,text:e.slice(r,i)}),r=i),a=s,i+=o.length}return a!==void 0&&n.push({stay:a,text:e.slice(r)}),n}function Or(e,t,n){let[,r,i]=/^\x1b\[(\d*)([CDGK])$/.exec(e)??[],a=r?G(r):0;if(i===`K`)return a===0?n.length=Math.min(n.length,t):a===1?n.fill(void 0,0,t+1):a===2&&(n.length=0),t;let o=Math.min(Math.max(1,a),xr);return i===`C`?Math.min(t+o,xr):i===`D`?Math.max(0,t-o):i===`G`?o-1:t}function kr(e,t){if(!e.includes(`\x1B`))return t;for(let n of e.matchAll(br))n[3]===`m`&&n[2]===``&&(t=Mr(t,n[1]??``));return t}function Ar(e){return e.replace(br,e=>e.length>1?``:e)}function jr(e){return!/[\x00-\x08\x0a-\x1f\x7f]/.test(e)}function Mr(e,t){if(/[<=>?]/.test(t))return e;let n=e,r=t.split(`;`);for(let e=0;e<r.length;e++){let t=(r[e]??``).split(`:`),i=G(t[0]);if(i===0)n=yr;else if(i===38||i===48||i===58){let a=t.length>1?Fr(t):Pr(r,e);if(t.length===1&&(e+=a.fields),a.colour===void 0||i===58)continue;n={...n,[i===38?`fg`:`bg`]:a.colour}}else n={...n,...Nr(i,t)}}return n}function Nr(e,t){if(e>=30&&e<=37)return{fg:e-30};if(e>=40&&e<=47)return{bg:e-40};if(e>=90&&e<=97)return{fg:e-90+8};if(e>=100&&e<=107)return{bg:e-100+8};switch(e){case 1:return{bold:!0};case 2:return{dim:!0};case 3:return{italic:!0};case 4:return{underline:t.length<2||G(t[1])!==0};case 7:return{inverse:!0};case 8:return{conceal:!0};case 9:return{strike:!0};case 21:return{underline:!0};case 22:return{bold:!1,dim:!1};case 23:return{italic:!1};case 24:return{underline:!1};case 27:return{inverse:!1};case 28:return{conceal:!1};case 29:return{strike:!1};case 39:return{fg:void 0};case 49:return{bg:void 0};case 53:return{overline:!0};case 55:return{overline:!1};default:return{}}}function Pr(e,t){switch(G(e[t+1])){case 5:return{colour:Ir(e[t+2]),fields:2};case 2:return{colour:Lr(e[t+2],e[t+3],e[t+4]),fields:4};default:return{colour:void 0,fields:1}}}function Fr(e){let t=e.length>=6?3:2;switch(G(e[1])){case 5:return{colour:Ir(e[2]),fields:0};case 2:return{colour:Lr(e[t],e[t+1],e[t+2]),fields:0};default:return{colour:void 0,fields:0}}}function Ir(e){let t=G(e);return t<=255?t:void 0}function Lr(e,t,n){let[r,i,a]=[G(e),G(t),G(n)];if(!(r>255||i>255||a>255))return vr|r<<16|i<<8|a}function G(e){return e===void 0||e===``?0:e.length>4?1/0:Number(e)}var Rr=1<<18,zr=1<<22,Br=class{lines=0;bytes=0;version=0;#e=new Map;#t=0;#n={offset:0,number:1,pen:yr,row:void 0};#r=[];#i=0;rows(e){return this.#e.get(e)?.rows??[]}line(e){for(let t of this.rows(K(e)))if(t.kind===`line`&&t.number===e)return t}missing(e){let t=this.#e.get(e)?.next??q(e);if(t<=Math.min(this.lines,q(e+1)-1))return this.#n?.number===t?void 0:t;let n=Math.max(1,this.lines);return!this.#n&&this.bytes>0&&e===K(n)?n:void 0}get atEnd(){return this.#n!==void 0}extend(e,t){let n=this.#n!==void 0&&t>this.#n.offset;n&&this.#o(),!n&&e<=this.lines&&t<=this.bytes||(this.lines=Math.max(this.lines,e),this.bytes=Math.max(this.bytes,t),this.version++)}append(e){let t=e.offset+e.bytes;this.#n&&t<=this.#n.offset||(this.#n&&e.offset!==this.#n.offset&&this.#o(),this.#n?this.#f(e,this.#n):this.#d(e),this.lines=Math.max(this.lines,Kr(e)),this.bytes=Math.max(this.bytes,t),this.version++)}fill(e){this.version++;let t=e.chunks[0];if(t){let n=e.sgr?kr(`\x1b[${e.sgr}m`,yr):yr,r={offset:t.offset,number:t.line,pen:n,row:void 0};for(let t of e.chunks)this.#f(t,r);let i=r.offset>=e.bytes&&r.offset>=this.bytes;!this.#n&&this.#c(r)&&(i||this.#l(r.offset))?this.#u(r):this.#s(r)}this.lines=Math.max(this.lines,e.lines),this.bytes=Math.max(this.bytes,e.bytes)}trim(e){if(this.#e.size<=300&&this.#t<=16777216)return;let t=[...this.#e.keys()].sort((t,n)=>Math.abs(n-e)-Math.abs(t-e));for(let e of t){if(this.#e.size<=300&&this.#t<=16777216||this.#e.size===1)return;this.#n&&e===K(Vr(this.#n))&&this.#o(),this.#a(e)}}#a(e){this.#t-=this.#e.get(e)?.characters??0,this.#e.delete(e)}#o(){let e=this.#n;this.#n=void 0,e&&this.#s(e)}#s(e){let t=K(e.number),n=this.#e.get(t);if(n&&n.next===e.number&&e.number!==this.#n?.number){if(e.row&&e.row===n.rows.at(-1)&&e.row.text.length>=262144)n.next++;else{for(;n.rows.at(-1)?.number===e.number;)this.#h(n,-Gr(n.rows.pop()));n.rows.length===0&&this.#a(t)}}}#c(e){let t=Vr(e);return t===0||this.#e.get(K(t))?.next===e.number}#l(e){return this.#r.some(t=>t.offset===e)}#u(e){this.#n=e;let t=this.#r;this.#r=[],this.#i=0;for(let e of t)e.offset>=(this.#n?.offset??0)&&this.append(e);this.#n&&this.#n.offset<this.bytes&&this.#o()}#d(e){let t=this.#r.at(-1);if(!(t&&e.offset<t.offset+t.bytes))for(t&&e.offset>t.offset+t.bytes&&(this.#r=[],this.#i=0),this.#r.push(e),this.#i+=e.text?.length??0;this.#i>zr&&this.#r.length>1;)this.#i-=this.#r.shift()?.text?.length??0}#f(e,t){if(t.offset=e.offset+e.bytes,e.lost){t.row&&Wr(t),this.#m({kind:`hole`,number:t.number,bytes:e.lost},void 0,t);return}let n=e.text??``,r=Date.parse(e.at);for(let e=0;e<n.length;){let i=n.indexOf(`
`,e),a=n.slice(e,i<0?n.length:i),o=t.row?Ur(t.row,a):Hr(t.number,a,t.pen,r);if(this.#m(o,t.row,t),t.row=o,i<0)return;Wr(t);let s=this.#e.get(K(t.number));s?.next===t.number&&this.#p(t)&&s.next++,t.number++,e=i+1}}#p(e){return!this.#n||e===this.#n||e.number<this.#n.number}#m(e,t,n){if(!this.#p(n))return;let r=K(e.number),i=this.#e.get(r);if(!i){if(e.number!==q(r)||t)return;i={rows:[],next:e.number,characters:0},this.#e.set(r,i)}i.next===e.number&&(t&&i.rows.at(-1)===t?(i.rows[i.rows.length-1]=e,this.#h(i,Gr(e)-Gr(t))):t||(i.rows.push(e),this.#h(i,Gr(e))))}#h(e,t){e.characters+=t,this.#t+=t}};function K(e){return Math.floor((e-1)/100)}function q(e){return e*100+1}function Vr(e){return e.row?e.number:e.number-1}function Hr(e,t,n,r){let i=t.length>Rr;return{kind:`line`,number:e,text:i?t.slice(0,Rr):t,pen:n,at:r,cut:i}}function Ur(e,t){let n=e.text+t;if(n.length<=262144)return{...e,text:n};let r=n.lastIndexOf(`\r`,n.length-2);if(r>=0&&n.length-r<=262144){let t=kr(n.slice(0,r),e.pen);return n=n.slice(r+1),{...e,text:n,pen:t,cut:!0}}return{...e,text:n.slice(0,Rr),cut:!0}}function Wr(e){e.row&&(e.pen=kr(e.row.text,e.row.pen)),e.row=void 0}function Gr(e){return e?.kind===`line`?e.text.length:0}function Kr(e){let t=e.text??``,n=0;for(let e=t.indexOf(`
`);e>=0;e=t.indexOf(`
`,e+1))n++;return t.endsWith(`
`)?e.line+n-1:e.line+n}var qr=15e3,Jr=class extends Error{};async function J(e,t){let n=AbortSignal.timeout(qr),r=await fetch(e,{headers:{Accept:`application/json`},signal:t?AbortSignal.any([t,n]):n});if(r.ok)return await r.json();throw new Jr(Xr(await r.json().catch(()=>void 0))??`The server answered with HTTP status ${r.status}.`)}function Yr(e){return e instanceof Jr?e.message:e instanceof DOMException&&e.name===`TimeoutError`?`The server took too long to answer.`:`The server could not be reached.`}function Xr(e){if(typeof e!=`object`||!e)return;let{detail:t,title:n}=e;return[t,n].find(e=>typeof e==`string`&&e!==``)}var Zr=class{#e;constructor(e=[]){let t=[],n=[...e].sort((e,t)=>e.line-t.line||(t.last??0)-(e.last??0)),r=0;for(let{line:e,last:i}of n){let n=t.at(-1),a=Math.max(e,(n?.last??0)+1);i===void 0||i<a||(t.push({from:a,last:i,before:r}),r+=i-a+1)}this.#e=t}hides(e){let t=this.#e[this.#t(e)];return t!==void 0&&e<=t.last}rank(e){let t=this.#e[this.#t(e-1)];return t?e-1-t.before-(Math.min(e-1,t.last)-t.from+1):e-1}at(e){let t=Math.floor(e)+1;for(let{from:e,last:n}of this.#e){if(e>t)break;t+=n-e+1}return t}skips(e){let t=q(e),n=this.#e[this.#t(t)];return n!==void 0&&n.from<t&&n.last>=t+100-1}#t(e){let[t,n]=[0,this.#e.length];for(;t<n;){let r=t+n>>1;(this.#e[r]?.from??0)<=e?t=r+1:n=r}return t-1}},Qr=2e4,$r=class{groups=[];marks=[];loaded=!1;folded=new Set;folds=new Zr;#e=new Map;#t=new Map;#n=new Map;#r;async load(e,t){this.#r?.abort();let n=new AbortController;this.#r=n;let r=new URLSearchParams({step:t,limit:`10000`});for(let e of[`group`,`annotation`])r.append(`kind`,e);try{for(let t=0;t<Qr;){let i=await J(`/api/v1/builds/${e}/notes?${r}`,n.signal);for(let e of i.notes)this.#i(e);if(t+=i.notes.length,!i.next)break;r.set(`after`,i.next)}}catch{}n.signal.aborted||(this.loaded=!0,this.#a())}add(e){this.#i(e)&&this.#a()}stop(){this.#r?.abort()}fold(e,t){this.#n.set(e,t),this.#a()}foldAll(e){for(let t of this.#e.keys())this.#n.set(t,e);this.#a()}unfold(e){if(!this.folds.hides(e))return!1;for(let{number:t,line:n,last:r}of this.groups)n<=e&&(r??0)>=e&&this.#n.set(t,!1);return this.#a(),!0}around(e){return this.groups.findLast(t=>t.line<=e&&(t.last??1/0)>=e)}#i(e){let{number:t,line:n,group:r,group_end:i,annotation:a}=e;if(r&&n!==null){let e=this.#e.get(t);this.#e.set(t,{number:t,name:r.name,level:r.level,line:n,last:r.last_line??e?.last,duration:r.duration_s??e?.duration,asked:r.folded})}else if(i&&n!==null){let e=this.#e.get(i.group);e&&e.last===void 0&&this.#e.set(i.group,{...e,last:n-1,duration:i.duration_s})}else if(a&&n!==null){let e=this.#t.get(n);(!e||ei[a.level]>ei[e.level])&&this.#t.set(n,{line:n,level:a.level,message:a.message})}else return!1;return!0}#a(){this.groups=[...this.#e.values()].sort((e,t)=>e.line-t.line||e.level-t.level),this.marks=[...this.#t.values()].sort((e,t)=>e.line-t.line),this.#o(),this.folded=new Set(this.groups.filter(e=>e.last!==void 0&&this.#n.get(e.number)).map(e=>e.number)),this.folds=new Zr(this.groups.filter(({number:e})=>this.folded.has(e)))}#o(){if(this.loaded)for(let{number:e,line:t,last:n,asked:r}of this.groups){if(this.#n.has(e))continue;let i=this.marks.some(e=>e.level===`error`&&e.line>=t&&e.line<=(n??t));this.#n.set(e,(n!==void 0||r)&&!i)}}},ei={notice:0,warning:1,error:2},ti=3e3,ni=class extends k{static properties={text:{attribute:!1},label:{},said:{state:!0}};#e;constructor(){super(),this.text=``,this.label=`Copy`,this.said=``}static styles=[z,h`
			:host {
				display: inline-block;
			}
		`];disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.#e),this.said=``}render(){return w`
			<button @click=${this.#t}>${this.said||this.label}</button>
			<span role="status" class="unseen">${this.said}</span>
		`}async#t(){let e=await this.#n();this.said=e?`Copied`:`Not copied: the browser refused`,clearTimeout(this.#e),this.#e=setTimeout(()=>{this.said=``},ti)}async#n(){try{return await navigator.clipboard.writeText(this.text),!0}catch{return this.#r()}}#r(){let e=document.createElement(`textarea`);e.className=`unseen`,e.value=this.text,this.renderRoot.append(e),e.select();let t=document.execCommand(`copy`);return e.remove(),this.renderRoot.querySelector(`button`)?.focus(),t}};customElements.define(`copy-button`,ni);var ri=class extends k{static properties={build:{attribute:!1},waiting:{state:!0},refused:{state:!0}};constructor(){super(),this.waiting=!1,this.refused=``}static styles=[z,h`
			:host {
				display: inline-flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem 0.5rem;
			}

			[aria-pressed="true"] {
				background: var(--link);
				color: var(--page);
			}
		`];render(){return!(`Notification`in globalThis&&isSecureContext)||!this.build||H(this.build.status)?E:w`
			<button
				aria-pressed=${this.waiting}
				title="A notification when this build has ended"
				@click=${this.#e}
			>
				Notify me
			</button>
			<span role="status">${this.refused}</span>
		`}updated(e){let t=this.build;if(this.waiting&&t&&H(t.status)){this.waiting=!1;try{let e=new Notification(ft(t),{body:t.title??``,tag:t.id});e.addEventListener(`click`,()=>{focus(),e.close()})}catch{}}}async#e(){if(this.waiting){this.waiting=!1;return}let e=await Notification.requestPermission()===`granted`;this.waiting=e,this.refused=e?``:`The browser blocks notifications of this site; its settings can allow them.`}};customElements.define(`notify-button`,ri);var ii=class extends k{static properties={started:{},finished:{},expected:{type:Number},asof:{type:Number}};#e=new V(this);constructor(){super(),this.asof=0}static styles=[z,h`
			:host {
				display: inline-block;
				font-variant-numeric: tabular-nums;
				white-space: nowrap;
			}

			progress {
				display: block;
				width: 100%;
				min-width: 6rem;
				height: 0.375rem;
				margin-top: 0.25rem;
				border: 1px solid var(--running);
				border-radius: 0.25rem;
				overflow: hidden;
				appearance: none;
				background: transparent;
			}

			progress::-webkit-progress-bar {
				background: transparent;
			}

			progress::-webkit-progress-value {
				background: var(--running);
			}

			progress::-moz-progress-bar {
				background: var(--running);
			}
		`];willUpdate(e){this.#e.wanted=!!this.started&&!this.finished&&this.asof===0}render(){let e=I(this.started);if(e===void 0)return E;let t=I(this.finished);if(t!==void 0)return w`${P(t-e)}`;let n=(this.asof||Date.now())-e,r=this.expected??0;if(r<=0)return w`${F(n)}`;let i=n>r*1e3;return w`
			${F(n)}
			<span class="muted">${i?`, usually ${pt(r)}`:`of about ${pt(r)}`}</span>
			<progress aria-hidden="true" max=${r} .value=${Math.max(0,Math.min(n/1e3,r))}></progress>
		`}};customElements.define(`run-progress`,ii);var ai=class{show(e,t,n){let r=[],i=[];for(let a of e){let e=Number(a.dataset.line);a.classList.toggle(`current`,e===n);let o=t(e);o&&(e===n?i:r).push(...si(a,o))}oi(`match`,r),oi(`current-match`,i)}clear(){oi(`match`,[]),oi(`current-match`,[])}};function oi(e,t){typeof Highlight==`function`&&(t.length===0?CSS.highlights.delete(e):CSS.highlights.set(e,new Highlight(...t)))}function si(e,t){let n=[],r=document.createTreeWalker(e,NodeFilter.SHOW_TEXT),i=0;for(let e=r.nextNode();e;e=r.nextNode()){let r=e.nodeValue??``;if(e.parentElement?.className===`escape`)i+=Ar(r).length;else{for(let[a,o]of t.ranges){let[t,s]=[Math.max(a-i,0),Math.min(o-i,r.length)];if(t>=s)continue;let c=document.createRange();c.setStart(e,t),c.setEnd(e,s),n.push(c)}i+=r.length}}return n}var ci=1e3,li=3e4,ui=class{failed=``;#e;#t;#n;#r;#i;#a;#o=0;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n}need(e,t){this.#i=[e,t],!this.#r&&this.#a===void 0&&this.#s()}retryNow(){clearTimeout(this.#a),this.#a=void 0,this.#r||this.#s()}stop(){this.#r?.abort(),clearTimeout(this.#a)}async#s(){let e=this.#i;if(!e)return;this.#i=void 0;let t=new AbortController;this.#r=t;try{let n=await J(`${this.#e}/lines?from=${e[0]}&to=${e[1]}`,t.signal);if(t.signal.aborted)return;this.#t.fill(n),this.failed=``,this.#o=0}catch(n){if(t.signal.aborted)return;this.failed=Yr(n),this.#i??=e;let r=Math.min(li,ci*2**this.#o++);this.#a=setTimeout(()=>this.retryNow(),r*(.5+Math.random()/2))}finally{this.#r===t&&(this.#r=void 0)}this.#n()}},di={light:Si(`#fff8c5`),dark:Si(`#2d2a12`)},fi=4.5,pi=[0,0,0],mi=[255,255,255],hi=[`#24292f`,`#b3212b`,`#116329`,`#7d4e00`,`#0757b8`,`#8a3ab9`,`#0b6b74`,`#d0d7de`,`#57606a`,`#ff8a80`,`#4ac26b`,`#e3b341`,`#79b8ff`,`#d2a8ff`,`#56d4dd`,`#ffffff`].map(Si);function gi(e,t=!1){let n=(e,n)=>t?e:_i(e,n),r=[];e.bold&&r.push(`bold`),e.italic&&r.push(`italic`),e.underline&&r.push(`underline`),e.strike&&r.push(`strike`),e.overline&&r.push(`overline`),e.conceal&&r.push(`conceal`);let[i,a]=e.inverse?[e.bg,e.fg]:[e.fg,e.bg];if(a!==void 0){let e=Y(a),t=i===void 0?vi(e):n(Y(i),e);return{classes:[...r,`on`],properties:[[`--fg`,X(t)],[`--bg`,X(e)]]}}return e.inverse&&i===void 0?{classes:[...r,`inverse`],properties:[]}:e.inverse&&i!==void 0?{classes:[...r,`inverse`,`exact`],properties:[[`--fg-light`,X(n(Y(i),Si(`#1f2328`)))],[`--fg-dark`,X(n(Y(i),Si(`#e6edf3`)))]]}:i===void 0?{classes:e.dim?[...r,`dim`]:r,properties:[]}:i<16?{classes:[...r,`fg-${i}`],properties:[]}:{classes:[...r,`exact`],properties:[[`--fg-light`,X(n(Y(i),di.light))],[`--fg-dark`,X(n(Y(i),di.dark))]]}}function Y(e){if(e>=16777216)return[e>>16&255,e>>8&255,e&255];if(e<16)return hi[e]??pi;if(e>=232){let t=8+(e-232)*10;return[t,t,t]}let t=e=>e===0?0:55+e*40,n=e-16;return[t(Math.floor(n/36)),t(Math.floor(n/6)%6),t(n%6)]}function _i(e,t){if(bi(e,t)>=fi)return e;let n=vi(t),r=0,i=1;for(let a=0;a<8;a++){let a=(r+i)/2;bi(yi(e,n,a),t)>=fi?i=a:r=a}return yi(e,n,i)}function vi(e){return bi(pi,e)>=bi(mi,e)?pi:mi}function yi(e,t,n){let r=r=>Math.round(e[r]+(t[r]-e[r])*n);return[r(0),r(1),r(2)]}function bi(e,t){let[n,r]=[xi(e),xi(t)];return(Math.max(n,r)+.05)/(Math.min(n,r)+.05)}function xi([e,t,n]){let r=e=>{let t=e/255;return t<=.04045?t/12.92:((t+.055)/1.055)**2.4};return .2126*r(e)+.7152*r(t)+.0722*r(n)}function Si(e){let t=Number.parseInt(e.slice(1),16);return[t>>16&255,t>>8&255,t&255]}function X([e,t,n]){return`rgb(${e} ${t} ${n})`}var Ci=/https?:\/\/[^\s<>"'`\\\u0000-\u0020]*[^\s<>"'`\\.,;:!?)\]}\u0000-\u0020]/g;function wi(e,t,n){let r=document.createElement(`div`);r.className=e.cut?`line cut`:`line`,r.dataset.line=String(e.number);let i=document.createElement(`a`);i.href=t,i.dataset.n=String(e.number),i.tabIndex=-1,i.setAttribute(`aria-hidden`,`true`);let a=document.createElement(`span`);return a.className=`text`,e.text===``?a.append(document.createElement(`br`)):jr(e.text)&&!Mi(e.pen)?a.append(...Ai(e.text)):a.append(...wr(e.text,e.pen).map(e=>Oi(e,n))),r.append(i,a),r}function Ti(e){let t=document.createElement(`div`);return t.className=`hole`,t.textContent=`${M(e.bytes)} bytes of the log are missing here: they were lost before they reached the server.`,t}function Ei(e,t){let n=document.createElement(`div`);n.className=`group`,n.dataset.group=String(e.number),n.style.setProperty(`--level`,String(e.level));let r=document.createElement(`button`);r.setAttribute(`aria-expanded`,String(t));let i=document.createElement(`bdi`);i.textContent=e.name||`Group`;let a=document.createElement(`span`);return a.className=`muted`,a.textContent=Di(e),r.append(i,` `,a),r.disabled=e.last===void 0,n.append(r),n}function Di(e){if(e.last===void 0)return`running`;let t=N(Math.max(0,e.last-e.line+1),`line`);return e.duration?`${t} · ${P(e.duration*1e3)}`:t}function Oi(e,t){if(e.kind===`text`)return e.href?ji(e.href,ki([document.createTextNode(e.text)],e.pen,t)):ki(Ai(e.text),e.pen,t);let n=document.createElement(`span`);return n.className=e.kind,n.textContent=e.text,e.kind===`control`&&(n.dataset.caret=`^${String.fromCharCode(e.text.charCodeAt(0)^64)}`),n}function ki(e,t,n){if(!Mi(t)){let t=document.createDocumentFragment();return t.append(...e),t}let{classes:r,properties:i}=gi(t,n),a=document.createElement(`span`);a.className=r.join(` `);for(let[e,t]of i)a.style.setProperty(e,t);return a.append(...e),a}function Ai(e){if(!e.includes(`://`))return[document.createTextNode(e)];let t=[],n=0;for(let r of e.matchAll(Ci))URL.canParse(r[0])&&(r.index>n&&t.push(document.createTextNode(e.slice(n,r.index))),t.push(ji(r[0],document.createTextNode(r[0]))),n=r.index+r[0].length);return n<e.length&&t.push(document.createTextNode(e.slice(n))),t}function ji(e,t){let n=document.createElement(`a`);return n.href=e,n.target=`_blank`,n.rel=`noopener noreferrer`,n.append(t),n}function Mi(e){return e.fg!==void 0||e.bg!==void 0||e.bold||e.dim||e.italic||e.underline||e.inverse||e.conceal||e.strike||e.overline}var Ni=12,Pi=2,Fi=10,Ii=12e6,Li=200,Ri=class{following=!1;#e;#t;#n=document.createElement(`div`);#r=document.createElement(`div`);#i=document.createElement(`div`);#a;#o=[];#s;#c;#l;#u=0;#d=0;#f=20;#p=!1;#m;constructor(e,t,n){this.#e=e,this.#a=t,this.#t=n,this.#r.className=`rows`,this.#n.className=this.#i.className=`beyond`,e.prepend(this.#n,this.#r,this.#i)}show(e=this.#a){this.#a=e,this.#_()}goTo(e,t=0){this.following=!1,this.#s={line:e,y:t},this.#_()}reveal(e,t=!1){let n=this.#e.clientHeight,r=this.element(e);if(r&&!t&&!this.#s){let e=this.#g(r);if(e>=0&&e+r.offsetHeight<=n)return}this.goTo(e,Math.max(0,Math.floor(n/2)-this.#f))}release(){this.#s=void 0}set moving(e){this.#p=e,e||this.#_()}get byReader(){return Math.abs(this.#e.scrollTop-this.#d)>=1}atEnd(e){let{scrollHeight:t,scrollTop:n,clientHeight:r}=this.#e,i=this.#o.at(-1)?.index??0;return t-n-r<=e&&this.#x(i,1,K(Math.max(1,this.#a.text.lines)))===void 0}mode(e){let t=this.#m;if(this.#m=e,this.#r.classList.toggle(`unwrapped`,e.unwrapped),this.#r.classList.toggle(`timed`,e.times!==`off`),!t||t.exact!==e.exact)for(let e of this.#o)e.beside=`-`;t?.times!==e.times&&this.decorate(),JSON.stringify(t)!==JSON.stringify(e)&&this.#_()}heading(e,t){e.dataset.group=String(t.number),e.style.setProperty(`--level`,String(t.level)),e.replaceChildren(...Ei(t,!0).childNodes)}scrolled(){this.byReader&&(this.#u=performance.now(),this.#_())}decorate(){for(let e of this.lines())this.#t.decorate(e,Number(e.dataset.line))}lines(){return this.#r.querySelectorAll(`.line`)}element(e){return this.#o.find(({index:t})=>t===K(e))?.element.querySelector(`[data-line="${e}"]`)??void 0}get first(){for(let{index:e,element:t}of this.#o)if(!(this.#g(t)+t.offsetHeight<=0)){for(let e of t.children){if(!(e instanceof HTMLElement)||!e.dataset.line)continue;let t=this.#g(e);if(t+e.offsetHeight>0)return{line:Number(e.dataset.line),y:t}}if(this.#a.text.missing(e)!==void 0)return{line:q(e),y:this.#g(t)}}}stop(){cancelAnimationFrame(this.#c??0),clearTimeout(this.#l),this.#c=-1,this.#n.remove(),this.#r.remove(),this.#i.remove()}get#h(){return this.#r.getBoundingClientRect().height}#g(e){return e.getBoundingClientRect().top-this.#e.getBoundingClientRect().top}#_(){if(this.#c!==void 0)return;let e=()=>{this.#c!==-1&&(cancelAnimationFrame(this.#c??0),clearTimeout(this.#l),this.#c=void 0,this.#v())};this.#c=requestAnimationFrame(e),this.#l=window.setTimeout(e,250)}#v(){let e=this.#e.clientHeight,{text:t}=this.#a;if(e===0)return;if(t.lines===0&&t.bytes===0){this.#C(()=>!0),this.#M(0,0);return}let n=performance.now()+Ni,r=K(Math.max(1,t.lines)),i=this.following?void 0:this.#s??this.#y(),a=i?Math.min(K(i.line),r):r,o=!1,s=this.#o.some(({index:e})=>e===a);s||this.#C(()=>!0);for(let e of this.#o)this.#T(e);s||this.#S(a,this.#o.length);let c=()=>i?this.#b(i):this.#h,l=i?.y??e,u=Pi*e;for(;;){let t=this.#o[0]?.index??a,i=this.#x(t,-1,r),s=this.#o.at(-1)?.index??a,d=this.#x(s,1,r),f=c(),p=this.#h-f,m=(e,t,n)=>e<t||e<u&&Math.abs(n-a)<=20||Math.abs(n-a)<=Fi,h=i!==void 0&&m(f-l,0,i),ee=d!==void 0&&m(p-(e-l),0,d),te=i!==void 0&&f-l<0||d!==void 0&&p-(e-l)<0;if(!h&&!ee)break;if(!te&&performance.now()>n){o=!0;break}if(ee&&(!h||p-(e-l)<=f-l)&&d!==void 0)this.#S(d,this.#o.length);else if(i!==void 0)this.#S(i,0);else break}this.#w(a),this.#A(),this.#j(i,c(),e),this.#N(a,r),o&&this.#_(),this.#t.moved()}#y(){let e=this.first,t=this.#e,n=this.#g(this.#r),r=n+this.#h;if(this.#o.length>0&&n<t.clientHeight&&r>0){if(e)return e;let t=this.#o[0];if(t)return{line:q(t.index),y:n}}let{folds:i,text:a}=this.#a,o=i.rank(a.lines+1);if(this.#o.length===0||n>=t.clientHeight){let e=this.#o[0]?i.rank(q(this.#o[0].index)):o,n=t.scrollTop/Math.max(1,this.#n.offsetHeight);return{line:i.at(Math.min(1,n)*Math.max(0,e-1)),y:0}}let s=q((this.#o.at(-1)?.index??0)+1),c=i.rank(s),l=Math.min(1,-r/Math.max(1,this.#i.offsetHeight));return{line:Math.min(a.lines,i.at(c+l*(o-c))),y:0}}#b({line:e}){let t=this.#o.find(({index:t})=>t===K(e));if(!t)return 0;let n=t.element.querySelector(`[data-line="${e}"]`);if(n)return this.#g(n)-this.#g(this.#r);let r=t.element;for(let n of t.element.children)n instanceof HTMLElement&&Number(n.dataset.from??n.dataset.line)<=e&&(r=n);let i=r.dataset.from?e-Number(r.dataset.from):0;return this.#g(r)-this.#g(this.#r)+i*this.#f}#x(e,t,n){for(let r=e+t;r>=0&&r<=n;r+=t)if(!this.#a.folds.skips(r))return r}#S(e,t){let n=document.createElement(`div`);n.className=`block`;let r={index:e,element:n,rows:[],beside:`-`};this.#T(r);let i=this.#o[t]?.element??null;this.#r.insertBefore(n,i),this.#o.splice(t,0,r)}#C(e){this.#o=this.#o.filter(t=>!e(t)||(t.element.remove(),!1))}#w(e){let t=this.#e.clientHeight,n=this.#e.getBoundingClientRect().top;this.#C(({index:r,element:i})=>{if(Math.abs(r-e)<=12)return!1;let{top:a,bottom:o}=i.getBoundingClientRect();return o-n<-4*t||a-n>5*t})}#T(e){let{text:t}=this.#a,n=t.rows(e.index),r=this.#D(e.index);if(r===e.beside){let t=Math.min(e.rows.length,n.length);for(;t>0&&e.rows[t-1]!==n[t-1];)t--;if(t===n.length&&t===e.rows.length)return;if(t>=e.rows.length-1&&!this.#E(n,t)){for(let n=e.rows.length;n>t;n--)e.element.lastElementChild?.remove();this.#O(e,n,t),e.rows=n.slice();return}}e.element.replaceChildren(),e.beside=r,this.#O(e,n,0),e.rows=n.slice();let i=t.missing(e.index);if(i===void 0)return;let a=Math.min(t.lines,q(e.index+1)-1),{folds:o}=this.#a,s=o.rank(a+1)-o.rank(i);if(s<=0)return;let c=document.createElement(`div`);c.className=`waiting`,c.dataset.from=String(i),c.style.setProperty(`--lines`,String(s)),c.style.setProperty(`--height`,`${s*this.#f}px`),e.element.append(c)}#E(e,t){let[n,r]=[e[t]?.number??0,e.at(-1)?.number??0];return this.#a.groups.some(({line:e})=>e>=n&&e<=r)}#D(e){let{text:t,groups:n,folded:r,folds:i}=this.#a,a=q(e),o=n.filter(({line:e,last:t})=>e<a+100&&(t??e)>=a).map(({number:e,line:t,last:n})=>`${e}:${t}:${n}:${r.has(e)}`),s=t.missing(e);if(s!==void 0){let e=Math.min(t.lines,a+100-1);o.push(`${s} to ${e}: ${i.rank(e+1)-i.rank(s)}`)}return o.join(` `)}#O(e,t,n){let{folds:r,folded:i,groups:a}=this.#a,o=q(e.index),s=new Set(a.map(({line:e})=>e).filter(e=>e>=o&&e<o+100)),c=document.createDocumentFragment(),l=e=>{for(let t of this.#k(e))c.append(Ei(t,!i.has(t.number)))},u=t[n-1]?.number??0;for(let e of t.slice(n))if(e.number!==u&&s.has(e.number)&&l(e.number),u=e.number,r.hides(e.number)){let e=document.createElement(`span`);e.hidden=!0,c.append(e)}else if(e.kind===`hole`)c.append(Ti(e));else{let t=wi(e,this.#t.href(e.number),this.#m?.exact??!1);this.#t.decorate(t,e.number),c.append(t)}if(n===0){let e=t.at(-1)?.number??o-1;for(let t of s)t>e&&l(t)}e.element.append(c)}#k(e){let{groups:t,folded:n}=this.#a;return t.filter(r=>r.line===e&&!t.some(t=>n.has(t.number)&&t.line<=e&&(t.last??0)>=e&&(t.line<e||t.level<r.level)))}#A(){let{folds:e}=this.#a,[t,n]=[this.#o[0],this.#o.at(-1)];if(!t||!n)return;let r=Math.min(this.#a.text.lines,q(n.index+1)-1),i=e.rank(r+1)-e.rank(q(t.index));i>=20&&(this.#f=Math.max(8,this.#h/i))}#j(e,t,n){let r=this.#e,{folds:i,text:a}=this.#a,[o,s]=[this.#o[0],this.#o.at(-1)];if(!o||!s)return;let c=Math.max(1,i.rank(a.lines+1)),l=Math.min(this.#f,Ii/c),u=i.rank(q(o.index))*l,d=Math.max(0,c-i.rank(q(s.index+1)))*l;if(!e){this.#M(u,d),this.#p||(r.scrollTop=r.scrollHeight),this.#d=r.scrollTop;return}let f=performance.now()-this.#u<Li,p=u;if(f&&!this.#s&&u>0){let i=r.scrollTop+e.y-t;i>=n&&i<2*u+n&&(p=i),window.setTimeout(()=>this.#_(),Li)}this.#M(p,d);let m=p+t-e.y;Math.abs(r.scrollTop-m)>=1&&(r.scrollTop=m),this.#d=r.scrollTop,(this.#a.text.line(e.line)!==void 0||i.hides(e.line)||e.line>a.lines)&&(this.#s=void 0)}#M(e,t){this.#n.style.setProperty(`--height`,`${Math.round(e)}px`),this.#i.style.setProperty(`--height`,`${Math.round(t)}px`)}#N(e,t){let{text:n,folds:r}=this.#a,i=this.#o.map(({index:e})=>e);i.sort((t,n)=>Math.abs(t-e)-Math.abs(n-e));for(let e of i){let a=n.missing(e);if(a===void 0)continue;let o=Math.min(q(e+1)-1,Math.max(1,n.lines));if(r.rank(o+1)===r.rank(a)&&e!==t)continue;let s=e;for(;s-e<4&&i.includes(s+1)&&n.missing(s+1)!==void 0;)s++;this.#t.need(a,q(s+1)-1);return}}},zi=2e4,Bi=2e3,Vi=1e3,Hi=200,Ui=class{query={q:``,regex:!1,case:!1,step:void 0};matches=[];total=0;atLeast=!1;state=`idle`;failed=``;#e;#t;#n;#r;#i;#a;#o;#s=!1;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n,e.addController(this)}hostConnected(){this.#l(0)}hostDisconnected(){this.#c()}want(e){let{q:t,regex:n,step:r}=this.query;(t!==e.q||n!==e.regex||r!==e.step||this.query.case!==e.case)&&(this.query=e,this.#c(),this.matches=[],this.total=0,this.atLeast=!1,this.#r=this.#i=void 0,this.state=e.q===``?`idle`:`searching`,this.#l(Hi),this.#d())}grow(){this.state!==`idle`&&this.state!==`failed`&&(this.#s=!0,!this.#a&&this.#o===void 0&&this.#l(Vi))}get more(){return this.#r!==void 0&&this.matches.length<2e4}load(){this.more&&!this.#a&&this.#l(0)}retry(){this.state=`searching`,this.#l(0)}#c(){this.#a?.abort(),this.#a=void 0,clearTimeout(this.#o),this.#o=void 0}#l(e){clearTimeout(this.#o),this.#o=void 0,this.query.q!==``&&(this.#o=setTimeout(()=>{this.#o=void 0,this.#u()},e))}async#u(){let{q:e,regex:t,step:n}=this.query,r=this.#r??this.#i,i=this.#r!==void 0,a=new URLSearchParams({q:e,limit:String(Bi)});t&&a.set(`regex`,`true`),this.query.case&&a.set(`case`,`true`),n!==void 0&&a.set(`step`,n),r!==void 0&&a.set(`after`,r);let o=new AbortController;this.#a=o,this.#s=!1;try{let e=await J(`/api/v1/builds/${this.#t()}/search?${a}`,o.signal);if(o.signal.aborted)return;let t=this.matches.length;this.matches=[...this.matches,...e.matches].slice(0,zi),this.total=i?t+e.total:this.total+e.total,this.atLeast=!e.complete,this.#r=e.next??void 0,this.#i=e.end,this.state=`found`,this.failed=``}catch(e){if(o.signal.aborted)return;this.state=`failed`,this.failed=Yr(e)}this.#a=void 0,this.#s&&this.grow(),this.#d()}#d(){this.#n(),this.#e.requestUpdate()}},Wi=class extends k{static properties={search:{attribute:!1},step:{},position:{type:Number},only:{type:Boolean},state:{},total:{type:Number}};constructor(){super(),this.step=``,this.position=-1,this.only=!1,this.state=``,this.total=0}static styles=[z,h`
			:host {
				display: flex;
				flex: 1 1 20rem;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem;
				max-width: 44rem;
			}

			input[type="search"] {
				flex: 1 1 10rem;
				min-width: 6rem;
				min-height: 1.75rem;
				padding: 0.125rem 0.5rem;
				border: 1px solid var(--control);
				border-radius: 0.375rem;
				background: var(--page);
				color: var(--text);
				font: inherit;
			}

			button {
				min-width: 1.75rem;
				padding: 0.125rem 0.375rem;
			}

			button[aria-pressed="true"] {
				background: var(--highlight);
				border-color: currentColor;
				font-weight: 700;
			}

			.count {
				min-width: 5.5rem;
				font-variant-numeric: tabular-nums;
				text-align: right;
				white-space: nowrap;
			}

			.failed {
				color: var(--stale);
				white-space: normal;
			}

			@media (pointer: coarse) {
				input[type="search"] {
					min-height: 2.75rem;
				}
			}
		`];focus(){let e=this.renderRoot.querySelector(`input`);e?.focus(),e?.select()}render(){let e=this.search?.query;if(!e)return E;let t=e.q!==``;return w`
			<input
				type="search"
				aria-label="Search the logs"
				placeholder="Search"
				autocomplete="off"
				spellcheck="false"
				maxlength="1000"
				.value=${e.q}
				@input=${e=>this.#n({q:e.target.value})}
				@keydown=${this.#i}
			/>
			${this.#e(`Aa`,`Match case`,e.case,()=>this.#n({case:!e.case}))}
			${this.#e(`.*`,`Regular expression`,e.regex,()=>this.#n({regex:!e.regex}))}
			${this.#e(`All steps`,`Search the logs of all steps`,e.step===void 0,()=>this.#n({step:e.step===void 0?this.step:void 0}))}
			${t?w`
							<button aria-label="Previous match" title="Previous match (N)" @click=${()=>this.#r(-1)}>↑</button>
							<button aria-label="Next match" title="Next match (n)" @click=${()=>this.#r(1)}>↓</button>
							${this.#e(`Only matches`,`Show only the lines that match`,this.only,()=>this.dispatchEvent(new CustomEvent(`only`,{detail:!this.only})))}
						`:E}
			<span class="count ${this.search?.state===`failed`?`failed`:``}" role="status">${this.#t()}</span>
			${this.search?.state===`failed`?w`<button @click=${()=>this.search?.retry()}>Try again</button>`:E}
		`}#e(e,t,n,r){return w`<button title=${t} aria-label=${t} aria-pressed=${n} @click=${r}>${e}</button>`}#t(){let e=this.search;switch(e?.state){case`searching`:return`Searching…`;case`failed`:return e.failed;case`found`:{if(e.total===0)return`No matches`;let t=`${M(e.total)}${e.atLeast?`+`:``}`;return this.position<0?`${t} ${e.total===1?`line`:`lines`}`:`${M(this.position+1)} of ${t}`}default:return``}}#n(e){if(!this.search)return;let t={...this.search.query,...e};this.dispatchEvent(new CustomEvent(`query`,{detail:t}))}#r(e){this.dispatchEvent(new CustomEvent(`move`,{detail:e}))}#i(e){if(e.key===`Enter`)this.#r(e.shiftKey?-1:1);else if(e.key===`Escape`)this.#n({q:``}),this.dispatchEvent(new Event(`leave`));else return;e.preventDefault(),e.stopPropagation()}};function Gi(e){let t=[],n=0;for(let[r,i]of e.ranges){let[a,o]=[r-e.at,i-e.at];a<n||o>e.text.length||(a>n&&t.push({text:e.text.slice(n,a),hit:!1}),t.push({text:e.text.slice(a,o),hit:!0}),n=o)}return n<e.text.length&&t.push({text:e.text.slice(n),hit:!1}),t}customElements.define(`log-search`,Wi);var Ki=[h`
		.rows {
			min-width: 100%;
			font: 0.8125rem / 1.5 var(--mono);
			tab-size: 8;
		}

		.rows.unwrapped {
			width: max-content;
		}

		.beyond {
			height: var(--height, 0);
		}

		.line {
			display: flex;
			min-height: 1.5em;
			padding-right: 0.75rem;
		}

		.line:hover {
			background: var(--panel);
		}

		.line > a {
			position: sticky;
			left: 0;
			flex: none;
			align-self: stretch;
			box-sizing: border-box;
			min-width: calc(var(--digits, 4) * 1ch + 2rem);
			padding: 0 0.75rem 0 1.25rem;
			background: var(--page);
			color: var(--muted);
			text-align: right;
			text-decoration: none;
			user-select: none;
			-webkit-user-select: none;
		}

		.line > a::before {
			content: attr(data-n);
		}

		.timed .line > a::before {
			display: inline-block;
			min-width: calc(var(--digits, 4) * 1ch);
		}

		.timed .line > a::after {
			content: attr(data-time);
			margin-left: 1.5ch;
		}

		.line > a:hover {
			color: var(--link);
			text-decoration: underline;
		}

		.line:hover > a {
			background: var(--panel);
		}

		.text {
			flex: 1;
			min-width: 0;
			white-space: pre-wrap;
			overflow-wrap: anywhere;
		}

		.unwrapped .text {
			flex: none;
			white-space: pre;
		}

		.cut .text::after {
			content: " (more of this line is in the raw log)";
			color: var(--stale);
		}

		/* What is wrong in a line is told by a shape beside its number; its text is in the tooltip. */
		.line[data-level] > a {
			box-shadow: inset 3px 0 0 var(--mark);
		}

		.line[data-level] > a::before {
			content: var(--sign) " " attr(data-n);
			color: var(--mark);
		}

		.line[data-level="error"] {
			--mark: var(--failed);
			--sign: "✗";
		}

		.line[data-level="warning"] {
			--mark: var(--running);
			--sign: "!";
		}

		.line[data-level="notice"] {
			--mark: var(--link);
			--sign: "i";
		}

		.line.selected,
		.line.selected > a {
			background: var(--highlight);
		}

		.line.current {
			outline: 2px solid var(--link);
			outline-offset: -2px;
		}

		::highlight(match) {
			background: #ffd33d;
			color: #1f2328;
		}

		::highlight(current-match) {
			background: #f66a0a;
			color: #000000;
		}

		.group button {
			display: block;
			position: sticky;
			left: 0;
			width: 100%;
			min-height: 1.75rem;
			padding: 0.125rem 0.75rem 0.125rem calc(1rem + var(--level, 1) * 0.75rem);
			border: 0;
			border-radius: 0;
			background: var(--panel);
			color: var(--text);
			font: 600 0.8125rem / 1.5 var(--font);
			text-align: left;
			overflow-wrap: anywhere;
		}

		.group button::before {
			display: inline-block;
			width: 1.25em;
			content: "▸";
			color: var(--muted);
		}

		.group button[aria-expanded="true"]::before {
			content: "▾";
		}

		.group button:disabled {
			cursor: default;
		}

		.group .muted {
			margin-left: 0.5rem;
			font-weight: 400;
		}

		.hole {
			margin: 0.25rem 0.75rem 0.25rem calc(var(--digits, 4) * 0.55rem + 1.5rem);
			padding: 0.125rem 0.5rem;
			border-left: 3px solid currentColor;
			color: var(--stale);
			font-family: var(--font);
		}

		.waiting {
			height: var(--height);
			background: repeating-linear-gradient(
				var(--page) 0 0.5rem,
				var(--panel) 0.5rem 1rem,
				var(--page) 1rem 1.21875rem
			);
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

		.inverse {
			background: var(--text);
			color: var(--page);
		}

		.exact,
		.inverse.exact {
			color: light-dark(var(--fg-light), var(--fg-dark));
		}

		.on {
			background: var(--bg);
			color: var(--fg);
		}

		.conceal {
			color: transparent;
		}

		@media (max-width: 640px) {
			.line > a {
				min-width: calc(var(--digits, 4) * 1ch + 1rem);
				padding: 0 0.5rem 0 0.5rem;
				font-size: 0.6875rem;
				line-height: 1.77;
			}
		}
	`,m(Array.from({length:16},(e,t)=>`.fg-${t} { color: var(--ansi-${t}); }`).join(`
`))],qi=500,Ji=class extends k{static properties={found:{attribute:!1},total:{type:Number},more:{type:Boolean},shown:{state:!0}};constructor(){super(),this.found=[],this.total=0,this.more=!1,this.shown=qi}static styles=[z,h`
			:host {
				display: block;
				overflow-y: auto;
				padding: 0.5rem 0;
			}

			h3 {
				margin: 0.5rem 0.75rem 0.25rem;
				font-size: 0.875rem;
				overflow-wrap: anywhere;
			}

			ol {
				margin: 0;
				padding: 0;
				list-style: none;
				font: 0.8125rem / 1.5 var(--mono);
			}

			a {
				display: flex;
				gap: 1rem;
				padding: 0 0.75rem;
				color: var(--text);
				text-decoration: none;
				outline-offset: -2px;
			}

			a:hover {
				background: var(--panel);
			}

			.number {
				flex: none;
				min-width: 5ch;
				color: var(--muted);
				text-align: right;
			}

			.text {
				min-width: 0;
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			mark {
				background: #ffd33d;
				color: #1f2328;
			}

			p {
				margin: 0.75rem;
			}

			@media (pointer: coarse) {
				a {
					padding: 0.5rem 0.75rem;
				}
			}
		`];render(){let e=this.found.slice(0,this.shown),t=new Map;for(let n of e){let e=t.get(n.step);e?e.push(n):t.set(n.step,[n])}let n=this.found.length>e.length||this.more;return w`
			${[...t].map(([e,t])=>w`
					<h3><bdi>${e}</bdi></h3>
					<ol role="list" aria-label="Matches in ${e}">
						${t.map(t=>w`<li>
								<a href=${_r(e,[t.line,t.line])}>
									<span class="number">${t.line}</span>
									<span class="text"
										>${t.at>0?`…`:E}${Gi(t).map(({text:e,hit:t})=>t?w`<mark>${e}</mark>`:e)}</span
									>
								</a>
							</li>`)}
					</ol>
				`)}
			${n?w`<p>
							<button @click=${this.#e}>Show more</button>
							<span class="muted">${M(e.length)} of ${M(this.total)} lines are shown.</span>
						</p>`:E}
		`}#e(){this.shown+=qi,this.shown>=this.found.length&&this.more&&this.dispatchEvent(new Event(`more`))}};customElements.define(`match-list`,Ji);var Yi=24,Xi=250,Zi=5e3,Qi=32<<20,$i=[`off`,`absolute`,`build`,`step`],ea=class extends k{static properties={build:{attribute:!1},step:{attribute:!1},text:{attribute:!1},notes:{attribute:!1},marked:{attribute:!1},following:{state:!0},atEnd:{state:!0},only:{state:!0},position:{state:!0},going:{state:!0},failed:{state:!0},heard:{state:!0}};#e=new Ui(this,()=>this.build?.id??``,()=>this.#te());#t=new V(this);#n;#r;#i;#a=!1;#o=0;#s=0;#c={lines:0,at:0};#l;#u;#d=new ai;#f=new ResizeObserver(()=>this.#n?.show());constructor(){super(),this.text=new Br,this.notes=new $r,this.following=!0,this.atEnd=!0,this.only=!1,this.position=-1,this.going=!1,this.failed=``,this.heard=``,new s(this),new xn(this,`Log`,[{keys:[`/`],help:`Search the logs`,run:()=>this.#C?.focus()},{keys:[`n`,`Enter`],help:`Go to the next match`,run:()=>this.#ne(1)},{keys:[`N`],help:`Go to the previous match`,run:()=>this.#ne(-1)},{keys:[`e`],help:`Go to the next error or warning`,run:()=>this.#H(1)},{keys:[`E`],help:`Go to the previous error or warning`,run:()=>this.#H(-1)},{keys:[`f`],help:`Follow the end, or stop following`,run:()=>this.#I(!this.following)},{keys:[`G`,`End`],help:`Go to the end`,run:()=>this.#I(!0)},{keys:[`g g`,`Home`],help:`Go to the start`,run:()=>this.#R(1)},{keys:[`:`],help:`Go to a line`,run:()=>this.#z()},{keys:[`t`],help:`Show times, or other ones`,run:()=>this.#oe()},{keys:[`w`],help:`Wrap long lines, or do not`,run:()=>o.set(`wrap`,!o.get(`wrap`))},{keys:[`x`],help:`Fold or unfold the group in view`,run:()=>this.#Q()},{keys:[`X`],help:`Fold or unfold all groups`,run:()=>this.#$()},{keys:[`y`],help:`Copy a link to the marked lines`,run:()=>this.#J()},{keys:[`c`],help:`Copy the marked lines`,run:()=>this.#Y()},{keys:[`r`],help:`Open the raw log`,run:()=>location.assign(this.#w)},{keys:[`Escape`],help:`Clear the search and what is marked`,run:()=>this.#K()}])}static styles=[z,...Ki,h`
			:host {
				position: relative;
				display: flex;
				flex-direction: column;
				min-width: 0;
				min-height: 0;
				background: var(--page);
			}

			.bar {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem 0.75rem;
				padding: 0.375rem 0.75rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
				font-size: 0.875rem;
			}

			h2 {
				display: -webkit-box;
				flex: 1 1 8rem;
				min-width: 0;
				margin: 0;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
				font-size: 0.9375rem;
				overflow-wrap: anywhere;
			}

			.tools {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem;
			}

			.tools button[aria-pressed="true"] {
				background: var(--page);
				box-shadow: inset 0 -2px 0 var(--link);
				font-weight: 600;
			}

			select {
				min-height: 1.75rem;
				border: 1px solid var(--control);
				border-radius: 0.375rem;
				background: var(--page);
				color: var(--link);
				font: inherit;
			}

			details {
				position: relative;
			}

			summary {
				min-height: 1.75rem;
				padding: 0.125rem 0.625rem;
				border: 1px solid var(--control);
				border-radius: 0.375rem;
				background: var(--page);
				color: var(--link);
				cursor: pointer;
				list-style: none;
			}

			summary::-webkit-details-marker {
				display: none;
			}

			.menu {
				position: absolute;
				right: 0;
				z-index: 3;
				display: flex;
				flex-direction: column;
				min-width: 14rem;
				margin-top: 0.25rem;
				padding: 0.25rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--page);
				box-shadow: 0 4px 16px rgb(0 0 0 / 25%);
			}

			.menu a,
			.menu button {
				display: flex;
				align-items: center;
				min-height: 2rem;
				padding: 0.25rem 0.625rem;
				border: 0;
				background: none;
				color: var(--text);
				text-align: left;
				text-decoration: none;
			}

			.menu a:hover,
			.menu button:hover {
				background: var(--panel);
			}

			.goto {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				margin: 0;
				padding: 0.375rem 0.75rem;
				border-bottom: 1px solid var(--line);
				font-size: 0.875rem;
			}

			.goto input {
				width: 9rem;
				min-height: 1.75rem;
				border: 1px solid var(--control);
				border-radius: 0.375rem;
				background: var(--page);
				color: var(--text);
				font: inherit;
			}

			.stuck {
				position: absolute;
				inset: 0 0 auto;
				z-index: 2;
				border-bottom: 1px solid var(--line);
			}

			.stuck[hidden] {
				display: none;
			}

			.window {
				position: relative;
				display: flex;
				flex: 1;
				flex-direction: column;
				min-height: 0;
			}

			[role="region"] {
				flex: 1;
				min-height: 0;
				overflow: auto;
				overflow-anchor: none;
				overscroll-behavior: contain;
				background: var(--page);
				outline-offset: -2px;
			}

			match-list {
				flex: 1;
				min-height: 0;
			}

			.note {
				margin: 0;
				padding: 0.25rem 0.75rem 0.75rem calc(var(--digits, 4) * 0.5rem + 2rem);
				color: var(--muted);
				font-size: 0.875rem;
			}

			.trouble {
				display: flex;
				align-items: center;
				gap: 0.75rem;
				margin: 0;
				padding: 0.375rem 0.75rem;
				border-top: 1px solid var(--line);
				color: var(--stale);
				font-size: 0.875rem;
			}

			.end {
				position: absolute;
				right: 1.25rem;
				bottom: 1rem;
				z-index: 2;
				box-shadow: 0 1px 4px rgb(0 0 0 / 30%);
			}

			@media (max-width: 640px) {
				.bar {
					padding: 0.25rem 0.5rem;
				}

				.note {
					padding-left: 0.75rem;
				}
			}
		`];disconnectedCallback(){super.disconnectedCallback(),this.#y()}grew(){this.#b(),this.#e.grow(),this.#ie(),this.requestUpdate()}reveal(e){this.#a=!1,this.only=!1,this.following=!1,this.#s=this.text.lines,this.notes.unfold(e),this.#b(),this.#n?.reveal(e,!0)}get busy(){return!this.following||this.#e.query.q!==``||this.marked!==void 0}render(){let e=this.step;if(!e)return E;let t=e.name||e.key;return this.#t.wanted=e.status===`queued`,w`
			<div class="bar">
				<h2><bdi>${t}</bdi></h2>
				<log-search
					.search=${this.#e}
					.step=${e.key}
					.position=${this.position}
					.only=${this.only}
					.state=${this.#e.state+this.#e.query.q}
					.total=${this.#e.total}
					@query=${e=>this.#ee(e.detail)}
					@move=${e=>this.#ne(e.detail)}
					@only=${e=>{this.only=e.detail}}
					@leave=${()=>this.#S?.focus()}
				></log-search>
				${this.#p(e)}
			</div>
			${this.going?this.#m():E}
			<div class="window">
				<div
					role="region"
					tabindex="0"
					aria-label="Log of step ${t}"
					?hidden=${this.only}
					@scroll=${this.#M}
					@keydown=${this.#N}
					@wheel=${this.#N}
					@touchmove=${this.#N}
					@pointerdown=${this.#U}
					@click=${this.#W}
				>
					${this.#h(e)}
				</div>
				<div class="stuck group" hidden></div>
				${this.only?w`<match-list
								.found=${this.#e.matches}
								.total=${this.#e.total}
								.more=${this.#e.more}
								@more=${()=>this.#e.load()}
							></match-list>`:E}
				${this.only||this.following||this.atEnd||this.text.lines===0?E:w`<button class="end" @click=${this.#L}>${this.#_()}</button>`}
			</div>
			${this.failed?w`<p class="trouble" role="alert">
							Some lines could not be loaded. ${this.failed}
							<button @click=${()=>this.#r?.retryNow()}>Try again</button>
						</p>`:E}
			<span class="unseen" role="status">${this.heard}</span>
		`}#p(e){let t=this.notes.marks.length,n=o.get(`wrap`);return w`
			<div class="tools">
				${t>0?w`
								<button title="Previous error or warning (E)" aria-label="Previous error or warning" @click=${()=>this.#H(-1)}>✗ ↑</button>
								<button title="Next error or warning (e)" aria-label="Next error or warning, of ${t}" @click=${()=>this.#H(1)}>✗ ↓</button>
							`:E}
				<label>
					<span class="unseen">Times</span>
					<select title="Times (t)" @change=${this.#ae}>
						${[[`off`,`No times`],[`absolute`,`Time of day`],[`build`,`Since the build began`],[`step`,`Since the step began`]].map(([e,t])=>w`<option value=${e} ?selected=${e===o.get(`times`)}>${t}</option>`)}
					</select>
				</label>
				<button title="Wrap long lines (w)" aria-pressed=${n} @click=${()=>o.set(`wrap`,!n)}>Wrap</button>
				${H(e.status)?E:w`<button title="Keep the newest line in view (f)" aria-pressed=${this.following} @click=${()=>this.#I(!this.following)}>Follow</button>`}
				<details @keydown=${this.#le} @focusout=${this.#ue}>
					<summary>More</summary>
					<div class="menu">
						<a href=${this.#w}>Raw log</a>
						<a href="${this.#w}?download=true" download>Download</a>
						<a href="/plain/builds/${this.build?.id??``}/steps/${ca(e.key)}">Accessible view</a>
						<button @click=${this.#X}>Copy all</button>
						<button @click=${this.#J}>Copy a link to here</button>
						<button @click=${this.#z}>Go to a line…</button>
						${this.notes.groups.length>0?w`<button @click=${this.#$}>Fold or unfold all groups</button>`:E}
						<button aria-pressed=${o.get(`exact`)} @click=${()=>o.set(`exact`,!o.get(`exact`))}>
							${o.get(`exact`)?`Readable colours`:`Exact colours`}
						</button>
						<button @click=${this.#se}>Full screen</button>
					</div>
				</details>
			</div>
		`}#m(){return w`<form class="goto" @submit=${this.#B}>
			<label for="line">Go to line</label>
			<input id="line" name="line" type="number" min="1" max=${Math.max(1,this.text.lines)} required
				@keydown=${e=>{e.key===`Escape`&&this.#V()}}
			/>
			<button>Go</button>
			<span class="muted">of ${M(this.text.lines)}</span>
		</form>`}#h(e){let t=[this.#g(e),ut(e)].filter(Boolean).join(` `);return t===``?E:w`<p class="note">${t}</p>`}#g(e){let t=this.text.bytes===0,n=e.exit_code??void 0;switch(e.status){case`queued`:{let e=I(this.build?.created_at);return`The step has not started.${e===void 0?``:` Queued for ${F(Date.now()-e)}.`}`}case`skipped`:return`The step was skipped.`;case`running`:return t?`No output yet.`:``;case`lost`:return`The reporter of this step went silent. If it comes back, the log goes on here.`;default:{let[r,i]=[I(e.started_at),I(e.finished_at)],a=r===void 0||i===void 0?``:` after ${P(i-r)}`,o=n===void 0?``:` with exit code ${n}`;return`${t?`No output. `:``}${sa(e.status)}${o}${a}.`}}}#_(){let e=this.text.lines-this.#s;return e>0?`↓ ${N(e,`new line`)}`:`↓ To the end`}updated(e){this.step&&this.build&&((this.step.key!==this.#i?.key||this.text!==this.#i.text)&&this.#v(this.step),this.#T(),e.has(`marked`)&&(this.#n?.decorate(),this.marked&&e.get(`marked`)?.[0]!==this.marked[0]&&!this.#u&&this.reveal(this.marked[0])),this.going&&this.renderRoot.querySelector(`.goto input`)?.focus())}#v(e){let t=this.#S;if(!t)return;this.#y(),this.#i={key:e.key,text:this.text},this.only=!1,this.position=-1,this.failed=``;let n=new ui($t(this.build?.id??``,e.key),this.text,()=>{this.failed=n.failed,this.#b()});this.#r=n;let r=new Ri(t,this.#x(),{need:(e,t)=>n.need(e,t),href:t=>_r(e.key,[t,t]),decorate:(e,t)=>this.#E(e,t),moved:()=>this.#O()});this.#n=r,this.#f.disconnect(),this.#f.observe(t),this.#e.query.step!==void 0&&this.#e.query.q!==``&&this.#e.want({...this.#e.query,step:e.key}),this.#s=this.text.lines,this.#c={lines:this.text.lines,at:Date.now()},this.marked?this.reveal(this.marked[0]):e.status===`passed`||e.status===`skipped`?(this.following=!1,r.goTo(1)):(this.#a=H(e.status),this.following=!0),this.#b()}#y(){this.#n?.stop(),this.#n=void 0,this.#r?.stop(),this.#r=void 0,this.#i=void 0,this.#a=!1,this.#f.disconnect(),this.#d.clear()}#b(){let e=this.#n;if(e){if(this.#a&&this.notes.loaded){this.#a=!1;let e=this.notes.marks.find(({level:e})=>e===`error`);if(e){this.reveal(e.line);return}}e.following=this.following,e.show(this.#x())}}#x(){let{groups:e,folded:t,folds:n}=this.notes;return{text:this.text,groups:e,folded:t,folds:n}}get#S(){return this.renderRoot.querySelector(`[role=region]`)}get#C(){return this.renderRoot.querySelector(`log-search`)}get#w(){return this.step&&this.build?`${$t(this.build.id,this.step.key)}/log`:``}#T(){let e=this.#S,t=this.#n;e&&t&&(e.style.setProperty(`--digits`,String(Math.max(3,String(this.text.lines).length))),t.mode({unwrapped:!o.get(`wrap`),exact:o.get(`exact`),times:o.get(`times`)}))}#E(e,t){let n=this.notes.marks[ta(this.notes.marks,t)];n?.line===t?(e.dataset.level=n.level,e.title=n.message.slice(0,500)):e.dataset.level&&(delete e.dataset.level,e.removeAttribute(`title`));let[r,i]=this.marked??[0,0];e.classList.toggle(`selected`,t>=r&&t<=i);let a=o.get(`times`),s=e.firstElementChild;a!==`off`&&s instanceof HTMLElement&&(s.dataset.time=this.#D(this.text.line(t)?.at??0,a))}#D(e,t){return t===`absolute`?gt(e):_t(e-(I((t===`build`?this.build?.started_at:this.step?.started_at)??this.build?.created_at)??e))}#O(){let e=this.#n,t=this.#S;if(!e||!t)return;this.atEnd=this.following||e.atEnd(Yi),this.#k();let n=this.renderRoot.querySelector(`.stuck`),r=e.first?.line,i=r===void 0?void 0:this.notes.around(r),a=i&&i.line<(r??0)&&!this.notes.folded.has(i.number);n&&(n.hidden=!a,a&&n.dataset.group!==String(i.number)&&e.heading(n,i))}#k(){let e=this.#n,t=this.step?.key;if(!e||this.#e.matches.length===0){this.#d.clear();return}let n=this.#e.matches[this.position];this.#d.show(e.lines(),e=>this.#A(e),n?.step===t?n?.line:void 0)}#A(e){let t=this.step?.key;if(this.#j?.matches!==this.#e.matches||this.#j.key!==t){let e=new Map;for(let n of this.#e.matches)n.step===t&&e.set(n.line,n);this.#j={matches:this.#e.matches,key:t,lines:e}}return this.#j.lines.get(e)}#j;#M(){let e=this.#S,t=this.#n;if(!e||!t)return;let{scrollTop:n}=e;t.byReader&&(t.atEnd(Yi)?this.following||=n>this.#o:n<this.#o&&this.#F(),t.following=this.following),this.#o=n,t.scrolled()}#N={passive:!0,handleEvent:e=>{e instanceof KeyboardEvent&&!aa(e)||(oa(e)&&this.#F(),this.#P())}};#P(){clearTimeout(this.#l),this.#n?.release(),this.#n&&(this.#n.moving=!0),this.#a=!1,this.#l=window.setTimeout(()=>{this.#l=void 0,this.#n&&(this.#n.moving=!1)},Xi)}#F(){let e=this.#S;!this.following||!e||e.scrollHeight<=e.clientHeight||(this.following=!1,this.#s=this.text.lines,this.#n&&(this.#n.following=!1))}#I(e){this.#a=!1,clearTimeout(this.#l),this.#l=void 0,this.#n?.release(),this.following=e,this.#s=this.text.lines,this.#n&&(this.#n.moving=!1),this.#b()}#L(){this.#I(!0),this.#S?.focus()}#R(e){this.#a=!1,this.following=!1,this.#s=this.text.lines,this.#b(),this.#n?.goTo(e)}#z(){this.#ce(),this.going=!0}#B(e){e.preventDefault();let t=Number(new FormData(e.target).get(`line`));this.#V(),t>=1&&this.#G([t,t],!0)}#V(){this.going=!1,this.#S?.focus()}#H(e){let{marks:t}=this.notes;if(t.length===0)return;let n=this.marked?.[0]??this.#n?.first?.line??1,r=ta(t,n),i=t[r]?.line===n&&this.marked!==void 0,a=t[((e>0?i?r+1:r:r-1)+t.length)%t.length];a&&(this.#G([a.line,a.line],!0),this.heard=`${sa(a.level)} in line ${a.line}: ${a.message.slice(0,200)}`)}#U(e){let t=ra(e);if(t===void 0||e.button!==0||e.shiftKey){this.#P();return}this.#u=t;let n=e=>{let n=ra(e);n!==void 0&&n!==t&&this.#G([Math.min(t,n),Math.max(t,n)])},r=()=>{removeEventListener(`pointermove`,n),removeEventListener(`pointerup`,r),removeEventListener(`pointercancel`,r),setTimeout(()=>{this.#u=void 0})};addEventListener(`pointermove`,n),addEventListener(`pointerup`,r),addEventListener(`pointercancel`,r)}#W(e){let t=na(e,`[data-group]`);if(t?.dataset.group){this.#Z(Number(t.dataset.group),!this.notes.folded.has(Number(t.dataset.group)));return}let n=ra(e);if(n===void 0||e.ctrlKey||e.metaKey||e.altKey)return;e.preventDefault();let r=e.shiftKey&&this.marked?this.marked[0]:n;this.#u??=n,this.#G([Math.min(r,n),Math.max(r,n)]),this.#u=void 0}#G(e,t=!1){let n=this.#u;t||(this.#u=n??e?.[0]),this.marked=e,this.dispatchEvent(new CustomEvent(`lines`,{detail:e})),t&&e&&this.reveal(e[0]),this.#n?.decorate(),t||this.updateComplete.then(()=>this.#u===e?.[0]&&(this.#u=n))}#K(){this.only?this.only=!1:this.#e.query.q===``?this.marked&&this.#G(void 0):this.#ee({...this.#e.query,q:``})}async#q(e,t){this.#ce();try{await navigator.clipboard.writeText(await e),this.heard=`Copied ${t}.`}catch{this.heard=`This browser does not let the page copy ${t}.`}}#J(){let e=this.#n?.first?.line,t=this.marked??(e===void 0?void 0:[e,e]),n=new URL(_r(this.step?.key??``,t),location.href);this.#q(n.href,`the link`)}#Y(){if(!this.marked)return;let[e,t]=this.marked,n=fetch(`${this.#w}?lines=${e}-${t}&ansi=strip`).then(e=>e.text());this.#q(n,e===t?`line ${e}`:`lines ${e} to ${t}`)}#X(){this.text.bytes>Qi?(this.#ce(),this.heard=`The log is too long to copy; download it.`):this.#q(fetch(`${this.#w}?ansi=strip`).then(e=>e.text()),`the log`)}#Z(e,t){let n=this.notes.groups.find(t=>t.number===e),r=n&&(this.#n?.first?.line??0)>n.line;this.notes.fold(e,t),t&&r?this.#R(n.line):this.#b(),this.requestUpdate()}#Q(){let e=this.marked?.[0]??this.#n?.first?.line,t=e===void 0?void 0:this.notes.around(e);t&&this.#Z(t.number,!this.notes.folded.has(t.number))}#$=()=>{this.#ce(),this.notes.foldAll(this.notes.folded.size===0),this.#b(),this.requestUpdate()};#ee(e){e.q!==this.#e.query.q&&(this.position=-1),e.q===``&&(this.only=!1),this.#e.want({...e,step:e.step===void 0?void 0:this.step?.key}),this.#k()}#te(){if(this.#k(),this.position<0&&this.#e.state===`found`){let e=this.#n?.first?.line??1,t=this.step?.key,n=this.#e.matches.findIndex(n=>n.step===t&&n.line>=e),r=this.#e.matches[n]??this.#e.matches[0];if(!r)return;this.position=n<0?0:n,r.step===t&&this.#re(r,!1)}}#ne(e){let{matches:t}=this.#e;if(t.length===0)return;if(this.position+e>=t.length&&this.#e.more){this.#e.load();return}this.position=(this.position+e+t.length)%t.length;let n=t[this.position];n&&this.#re(n,!0)}#re(e,t){this.only=!1,e.step===this.step?.key?(this.#a=!1,this.following=!1,this.#s=this.text.lines,this.notes.unfold(e.line),this.#b(),this.#n?.reveal(e.line)):t&&this.dispatchEvent(new CustomEvent(`step`,{detail:e}))}#ie(){if(!this.following||Date.now()-this.#c.at<Zi)return;let e=this.text.lines-this.#c.lines;e>0&&(this.heard=N(e,`new line`)),this.#c={lines:this.text.lines,at:Date.now()}}#ae(e){o.set(`times`,e.target.value)}#oe(){o.set(`times`,$i[($i.indexOf(o.get(`times`))+1)%$i.length]??`off`)}#se(){this.#ce(),document.fullscreenElement?document.exitFullscreen():this.requestFullscreen?.().catch(()=>{})}#ce(){let e=this.renderRoot.querySelector(`details`);e&&(e.open=!1)}#le(e){e.key===`Escape`&&(this.#ce(),this.renderRoot.querySelector(`summary`)?.focus(),e.stopPropagation())}#ue(e){let t=e.currentTarget;e.relatedTarget instanceof Node&&t.contains(e.relatedTarget)||!e.relatedTarget||this.#ce()}};function ta(e,t){let[n,r]=[0,e.length];for(;n<r;){let i=n+r>>1;(e[i]?.line??0)<t?n=i+1:r=i}return n}function na(e,t){return e.composedPath().find(e=>e instanceof HTMLElement&&e.matches(t))}function ra(e){let t=na(e,`a[data-n]`)?.dataset.n;return t===void 0?void 0:Number(t)}var ia=[`Home`,`PageUp`,`ArrowUp`];function aa(e){return[...ia,`End`,`PageDown`,`ArrowDown`,` `].includes(e.key)}function oa(e){return e instanceof KeyboardEvent?ia.includes(e.key):e instanceof WheelEvent&&e.deltaY<0}function sa(e){return e.slice(0,1).toUpperCase()+e.slice(1)}function ca(e){return e.split(`/`).map(encodeURIComponent).join(`/`)}customElements.define(`step-log`,ea);var Z=[`failed`,`skipped`,`passed`],la=class extends k{static properties={build:{},steps:{attribute:!1},wanted:{state:!0},text:{state:!0},rows:{state:!0}};#e={failed:new R(this,`kind=test&status=failed`),skipped:new R(this,`kind=test&status=skipped`),passed:new R(this,`kind=test&status=passed`)};constructor(){super(),this.build=``,this.steps=[],this.wanted=new Set([`failed`]),this.text=``,this.rows={failed:100,skipped:100,passed:100}}static styles=[z,Et,Rt,h`
			table {
				margin-bottom: 0.75rem;
				border-collapse: collapse;
				font-variant-numeric: tabular-nums;
			}

			th,
			td {
				padding: 0.125rem 1rem 0.125rem 0;
				font-weight: 400;
				text-align: end;
			}

			th:first-child {
				overflow-wrap: anywhere;
				text-align: start;
			}

			thead th {
				color: var(--muted);
				font-size: 0.8125rem;
			}

			summary {
				padding-bottom: 0.25rem;
				cursor: pointer;
			}

			.suite {
				color: var(--muted);
			}
		`];willUpdate(e){for(let e of Z){if(!this.wanted.has(e))continue;let t=this.#e[e];t.want(this.build,Ct(this.steps,e)),this.text!==``&&t.more&&t.state===`loaded`&&t.load()}}render(){return Z.reduce((e,t)=>e+Ct(this.steps,t),0)===0?w`<p class="muted">No test results were found in this build.</p>`:w`
			<div class="bar">
				<span role="group" aria-label="Results to show">
					${Z.map(e=>this.#t(e))}
				</span>
				<label>
					Name
					<input type="search" .value=${this.text} @input=${this.#o} spellcheck="false" />
				</label>
			</div>
			${this.#n()}
			${Z.filter(e=>this.wanted.has(e)).map(e=>this.#r(e))}
			${this.wanted.size===0?w`<p class="muted">Choose above which results to show.</p>`:E}
		`}#t(e){return w`<button
			aria-pressed=${this.wanted.has(e)}
			@click=${()=>{let t=new Set(this.wanted);t.delete(e)||t.add(e),this.wanted=t}}
		>
			${M(Ct(this.steps,e))} <status-mark .status=${e}></status-mark>
		</button>`}#n(){let e=this.steps.filter(({tests:e})=>e);return e.length<2?E:w`
			<details open>
				<summary>By step</summary>
				<table>
					<thead>
						<tr>
							<th scope="col">Step</th>
							${Z.map(e=>w`<th scope="col">${e}</th>`)}
						</tr>
					</thead>
					<tbody>
						${e.map(e=>w`<tr>
								<th scope="row"><a href="#${encodeURIComponent(e.key)}">${Lt(e)}</a></th>
								${Z.map(t=>{let n=e.tests?.[t]??0;return w`<td class=${n>0?t:`muted`}>${M(n)}</td>`})}
							</tr>`)}
					</tbody>
				</table>
			</details>
		`}#r(e){let t=this.#e[e],n=Ct(this.steps,e),r=t.notes.filter(({test:e})=>this.#a(e)),i=r.slice(0,this.rows[e]);return w`
			<section aria-label=${da(e)}>
				<h3>
					${da(e)}
					<span class="muted">${this.text===``?M(n):`${M(r.length)} of ${M(t.notes.length)} looked through`}</span>
				</h3>
				${n===0?w`<p class="muted">${ua[e]}</p>`:E}
				<ul role="list">
					${j(i,e=>`${e.step} ${e.number}`,e=>w`<li>${this.#i(e)}</li>`)}
				</ul>
				${Dt(t,i.length,r.length,()=>{this.rows={...this.rows,[e]:this.rows[e]+100}})}
			</section>
		`}#i(e){let{name:t,suite:n,status:r,message:i}=e.test,a=e.test.duration_s??0;return w`
			<div class="head">
				<status-mark brief .status=${r}></status-mark>
				<span class="name">
					${n?w`<bdi class="suite">${n}</bdi> › `:E}<bdi>${t}</bdi>
				</span>
				${a>0?w`<span class="took">${P(a*1e3)}</span>`:E}
				<a href=${St(e)} aria-label="${t} in the log of ${e.step}">${e.step}${e.line===null?E:`, line ${M(e.line)}`}</a>
			</div>
			${i?w`<note-message .text=${i}></note-message>`:E}
		`}#a({name:e,suite:t=``}){return this.text===``||`${t} ${e}`.toLowerCase().includes(this.text)}#o(e){this.text=e.target.value.trim().toLowerCase()}},ua={failed:`No test failed.`,skipped:`No test was skipped.`,passed:`No test passed.`};function da(e){return`${e.slice(0,1).toUpperCase()}${e.slice(1)}`}customElements.define(`test-results`,la);var fa=class extends k{static properties={time:{}};constructor(){super(),new V(this)}render(){let e=I(this.time);return e===void 0?w``:w`<time datetime=${this.time??``} title=${vt(e)}>${mt(e,Date.now())}</time>`}};customElements.define(`time-ago`,fa);var pa=4,ma=[`log`,`waterfall`,`tests`,`problems`],ha=class extends k{static properties={build:{},place:{state:!0},selected:{state:!0},view:{state:!0},heard:{state:!0},result:{state:!0}};#e;#t=``;#n=new Map;#r=kn;constructor(){super(),this.build=``,this.place=gr(location.hash),this.selected=this.place.step,this.view=_a(location.search),this.heard=``,this.result=``,new xn(this,`Build`,[{keys:[`j`],help:`Go to the next step`,run:()=>this.#y(1)},{keys:[`k`],help:`Go to the previous step`,run:()=>this.#y(-1)},{keys:[`]`],help:`Go to the project's next build`,run:()=>void this.#b(1)},{keys:[`[`],help:`Go to the project's previous build`,run:()=>void this.#b(-1)}])}static styles=[z,h`
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

			.heading {
				display: flex;
				flex-wrap: wrap;
				align-items: flex-start;
				justify-content: space-between;
				gap: 0.25rem 1rem;
			}

			h1 a {
				color: inherit;
				text-decoration: none;
			}

			h1 a:hover {
				text-decoration: underline;
			}

			.actions {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.375rem;
			}

			.main {
				display: flex;
				flex-direction: column;
				min-width: 0;
				min-height: 0;
			}

			.tabs {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem;
				padding: 0.25rem 0.75rem 0;
				border-bottom: 1px solid var(--line);
			}

			.tabs button {
				min-height: 2rem;
				border: 0;
				border-bottom: 3px solid transparent;
				border-radius: 0;
				background: none;
				color: var(--muted);
				outline-offset: -2px;
			}

			.tabs button[aria-selected="true"] {
				border-color: var(--link);
				color: var(--text);
				font-weight: 600;
			}

			.panel {
				flex: 1;
				min-height: 0;
				padding: 0.75rem 1rem;
				overflow: auto;
			}

			.panel.log {
				display: grid;
				padding: 0;
				overflow: hidden;
			}

			.slow {
				animation: appear 0s 300ms backwards;
			}

			@keyframes appear {
				from {
					visibility: hidden;
				}
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
		`];connectedCallback(){super.connectedCallback(),addEventListener(`hashchange`,this.#m),addEventListener(`popstate`,this.#m)}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`hashchange`,this.#m),removeEventListener(`popstate`,this.#m)}willUpdate(e){this.#e??=new mr(this,{log:this.build},kn,(e,t)=>(this.#c(t),An(e,t)));let{state:t}=this.#e;this.place.step===``&&(this.selected=this.#p(t.steps)),this.selected!==this.#t&&this.selected!==``&&(this.#t=this.selected,this.#e.want({log:this.build,step:this.selected}))}render(){let e=this.#e;if(!e)return E;let{state:t,connection:n}=e;if(n.name===`refused`&&!t.build){let[e,t]=va(n.status);return w`<div class="message">
				<h1>${e}</h1>
				<p>${t} <a href="/">All builds</a></p>
			</div>`}let r=t.build;if(!r)return w`<p class="message muted slow">Loading…</p>`;let i=n.name===`live`?0:e.asOf;return w`
			${this.#s(r,i)}
			<nav aria-label="Steps">
				<details ?open=${!ga.matches}>
					<summary>Steps <span class="muted">${M(t.steps.length)}</span></summary>
					<step-tree .steps=${t.steps} .selected=${this.selected} .asof=${i}></step-tree>
				</details>
			</nav>
			<div class="main">
				${this.#i(t.steps)}
				${this.#a(r,t,i)}
			</div>
			<span class="unseen" role="status">${this.heard}</span>
			<span class="unseen" role="alert">${this.result}</span>
		`}#i(e){let t=e.reduce((e,{tests:t})=>e+(t?t.passed+t.failed+t.skipped:0),0),n=e.reduce((e,{tests:t})=>e+(t?.failed??0),0),r=e.reduce((e,{annotations:t})=>e+(t?t.error+t.warning+t.notice:0),0),i={log:`Log`,waterfall:`Waterfall`,tests:n>0?`Tests: ${M(n)} failed`:`Tests: ${M(t)}`,problems:`Problems: ${M(r)}`},a=ma.filter(e=>e===this.view||(e===`tests`?t>0:e!==`problems`||r>0));return w`<div class="tabs" role="tablist" aria-label="Views" @keydown=${this.#v}>
			${a.map(e=>w`<button
					role="tab"
					id="tab-${e}"
					aria-controls="panel"
					aria-selected=${e===this.view}
					tabindex=${e===this.view?0:-1}
					@click=${()=>this.#_(e)}
				>
					${i[e]}
				</button>`)}
		</div>`}#a(e,t,n){return w`<div id="panel" class="panel ${this.view}" role="tabpanel" aria-labelledby="tab-${this.view}">
			${this.view===`log`?this.#o(e,t):E}
			${this.view===`waterfall`?w`<step-waterfall
							.build=${e}
							.steps=${t.steps}
							.selected=${this.selected}
							.asof=${n}
						></step-waterfall>`:E}
			${this.view===`tests`?w`<test-results .build=${this.build} .steps=${t.steps}></test-results>`:E}
			${this.view===`problems`?w`<annotation-list .build=${this.build} .steps=${t.steps}></annotation-list>`:E}
		</div>`}#o(e,t){let n=t.places.get(this.selected),r=n===void 0?void 0:t.steps[n];if(!r)return t.steps.length===0?w`<p class="message muted">
					${H(e.status)?`This build has no steps.`:`This build has no steps yet.`}
				</p>`:w`<p class="message muted">
				This build has no step “<bdi>${this.selected}</bdi>”. Choose one from the list of steps.
			</p>`;let{text:i,notes:a}=this.#u(r);return w`<step-log
			.build=${e}
			.step=${r}
			.text=${i}
			.notes=${a}
			.marked=${this.place.step===r.key?this.place.lines:void 0}
			@lines=${e=>this.#h(r.key,e.detail)}
			@step=${e=>this.#g(e.detail.step,e.detail.line)}
		></step-log>`}updated(e){let t=this.#e?.state;Fn(t?.build?{status:t.build.status,title:ft(t.build)}:{title:`Build · Stepcast`}),t&&this.#x(t)}#s(e,t){let n=/^https?:\/\//i.test(e.url??``)?e.url:void 0,r=e.status===`running`&&e.started_at;return w`
			<div class="facts">
				<div class="heading">
					<h1>
						<status-mark .status=${e.status}></status-mark>
						<span><a href="/?project=${encodeURIComponent(e.project)}"><bdi>${e.project}</bdi></a> #${e.number}</span>
						${e.title?w`<bdi class="title">${e.title}</bdi>`:E}
					</h1>
					<span class="actions">
						<button aria-label="Previous build of the project" title="Previous build ([)" ?disabled=${e.number<=1} @click=${()=>this.#b(-1)}>‹</button>
						<button aria-label="Next build of the project" title="Next build (])" @click=${()=>this.#b(1)}>›</button>
						<copy-button .text=${location.href} label="Copy link"></copy-button>
						<notify-button .build=${e}></notify-button>
					</span>
				</div>
				<ul role="list">
					${e.branch?w`<li>on <code><bdi>${e.branch}</bdi></code></li>`:E}
					${e.commit?w`<li>at <code title=${e.commit}>${e.commit.slice(0,12)}</code></li>`:E}
					${e.author?w`<li>by <bdi>${e.author}</bdi></li>`:E}
					${e.trigger?w`<li><bdi>${e.trigger}</bdi></li>`:E}
					<li>
						${e.started_at?`started`:`created`}
						<time-ago .time=${e.started_at??e.created_at}></time-ago>
					</li>
					${e.started_at?w`<li>
									${H(e.status)?`took`:`running for`}
									<run-time
										.started=${e.started_at}
										.finished=${e.finished_at}
										.asof=${t}
									></run-time>
								</li>`:E}
					${r&&e.expected_s?w`<li>
									<run-progress
										.started=${e.started_at}
										.finished=${e.finished_at}
										.expected=${e.expected_s}
										.asof=${t}
									></run-progress>
								</li>`:E}
					${n?w`<li><a href=${n} rel="noreferrer">Where it ran</a></li>`:E}
				</ul>
			</div>
		`}#c(e){switch(e.kind){case`whole`:for(let t of e.data.steps??[])this.#l(t);for(let[e,{notes:t}]of this.#n)this.#d(e,t);break;case`step`:this.#l(e.data);break;case`log`:this.#n.get(e.data.step)?.text.append(e.data);break;case`note`:this.#n.get(e.data.step)?.notes.add(e.data);break;case`reset`:this.#n.clear();break;default:return}this.#f?.grew()}#l({key:e,log_lines:t=0,log_bytes:n=0}){this.#n.get(e)?.text.extend(t,n)}#u(e){let t=this.#n.get(e.key);if(t)return t;let n={text:new Br,notes:new $r};n.text.extend(e.log_lines??0,e.log_bytes??0),this.#n.set(e.key,n),this.#d(e.key,n.notes);for(let[e,{notes:t}]of this.#n){if(this.#n.size<=pa)break;t.stop(),this.#n.delete(e)}return n}#d(e,t){t.load(this.build,e).then(()=>this.#f?.grew())}get#f(){return this.renderRoot.querySelector(`step-log`)}#p(e){let t=e.find(e=>e.key===this.selected);return t&&(t.status===`running`||this.#f?.busy)?t.key:(e.find(e=>e.status===`failed`)??e.find(e=>e.status===`lost`)??e.find(e=>e.status===`running`)??t??e.find(e=>(e.log_bytes??0)>0)??e[0])?.key??``}#m=()=>{let e=gr(location.hash);e.step!==``&&(this.selected=e.step);let t=_a(location.search);(e.step!==this.place.step||e.lines!==void 0)&&this.view!==`log`&&t===this.view?this.#_(`log`):this.view=t;let n=e.lines?.[0]!==void 0&&e.lines[0]===this.place.lines?.[0];this.place=e,n&&e.lines&&this.#f?.reveal(e.lines[0])};#h(e,t){this.place={step:e,lines:t},history.replaceState(history.state,``,location.search+_r(e,t))}#g(e,t){location.hash=_r(e,t===void 0?void 0:[t,t])}#_(e){this.view=e;let t=new URLSearchParams(location.search);e===`log`?t.delete(`view`):t.set(`view`,e);let n=t.size>0?`?${t}`:``;history.replaceState(history.state,``,location.pathname+n+location.hash)}#v(e){let t={ArrowRight:1,ArrowLeft:-1}[e.key];if(!t)return;let n=[...this.renderRoot.querySelectorAll(`[role=tab]`)],r=n[(n.indexOf(e.target)+t+n.length)%n.length];r?.focus(),r?.click(),e.preventDefault()}#y(e){let t=Mt(this.#e?.state.steps??[]),n=t[t.indexOf(this.selected)+e];n!==void 0&&this.#g(n)}async#b(e){let t=this.#e?.state.build;if(!t||t.number+e<1)return;let n=new URLSearchParams({project:t.project,number:String(t.number+e),limit:`1`});try{let t=(await J(`/api/v1/builds?${n}`)).builds[0];t?location.assign(`/builds/${t.id}`):this.heard=e>0?`This is the newest build.`:`There is no earlier build.`}catch{this.heard=`The other build could not be found.`}}#x(e){let t=this.#r;if(this.#r=e,t===e||!t.build||!e.build)return;let n=e.steps.filter(({key:e,status:n})=>t.steps[t.places.get(e)??-1]?.status!==n).map(({key:e,name:t,status:n})=>`Step ${t||e}: ${n}.`);n.length>0&&(this.heard=n.slice(0,5).join(` `)),t.build.status!==e.build.status&&H(e.build.status)&&(this.result=`The build ended: ${e.build.status}.`)}},ga=matchMedia(`(max-width: 900px)`);function _a(e){let t=new URLSearchParams(e).get(`view`);return ma.find(e=>e===t)??`log`}function va(e){switch(e){case 400:case 404:return[`No such build`,`There is no build at this address.`];case 401:return[`Not signed in`,`Sign in to see this build.`];default:return[`Not available`,`The server refused to show this build (HTTP status ${e}).`]}}customElements.define(`build-page`,ha);var Q={project:``,branch:``,author:``,status:``};function ya(e,t){return Object.keys(Q).every(n=>e[n]===t[n])}function ba(e){return ya(e,Q)}function xa(e){let t=t=>e.get(t)?.trim()??``,n=t(`status`);return{project:t(`project`),branch:t(`branch`),author:t(`author`),status:Zt(n)?n:``}}function Sa(e){return new URLSearchParams(Object.entries(e).filter(([,e])=>e!==``))}function Ca(e,t){let{project:n,branch:r,author:i,status:a}=e;return(n===``||wa(n,t.project))&&(r===``||r===t.branch)&&(i===``||i===t.author)&&(a===``||a===t.status)}function wa(e,t){return e===`*`||e===t||e.endsWith(`/*`)&&t.startsWith(e.slice(0,-1))}var Ta={builds:[],loaded:!1,next:void 0,since:0,filter:Q,frozen:void 0},Ea=1e3;function $(e,t){switch(t.kind){case`page`:{let n=t.data.next??void 0,r=t.data.builds.at(-1),i=n&&r?Date.parse(r.created_at):0,a=e.frozen&&new Set(e.frozen);for(let{id:e}of t.data.builds)a?.add(e);return Aa({...e,loaded:!0,next:n,since:i,frozen:a},t.data.builds)}case`filter`:return{...e,filter:t.data,next:void 0,frozen:void 0};case`freeze`:return{...e,frozen:new Set(ka(e).map(({build:e})=>e.id))};case`thaw`:return Aa({...e,frozen:void 0},[]);case`snapshot`:return Aa(e,t.data.builds);case`build`:return Aa(e,[t.data]);case`step`:return Ma(e,t.data.build_id,t.data);case`reset`:return{...Ta,filter:e.filter};default:return e}}function Da(e){let{frozen:t}=e;return t?e.builds.filter(({build:e})=>t.has(e.id)):ka(e)}function Oa(e){let{frozen:t}=e;return t?ka(e).filter(({build:e})=>!t.has(e.id)).length:0}function ka({builds:e,filter:t}){return e.filter(({build:e})=>Ca(t,e))}function Aa(e,t){let n=new Map(e.builds.map(e=>[e.build.id,e]));for(let{steps:r,at:i,build_id:a,...o}of t){let t=n.get(o.id);(!t||U(t.build.status,o.status))&&n.set(o.id,{build:t?{...t.build,...o}:{expected_s:ja(e.builds,o),...o},steps:Na(t?.steps??[],r??[]),partial:r?!1:t?.partial??Date.parse(i??``)>Date.parse(o.created_at)})}let r=({build:t})=>Date.parse(t.created_at)>=e.since&&(Ca(e.filter,t)||!H(t.status)||e.frozen?.has(t.id)),i=[...n.values()].filter(r).sort(Pa).slice(0,Ea);return{...e,builds:i}}function ja(e,{project:t,branch:n}){let r=e.filter(({build:e})=>e.project===t&&e.expected_s);return(r.find(({build:e})=>e.branch===n)??r[0])?.build.expected_s??null}function Ma(e,t,n){let r=e.builds.findIndex(e=>e.build.id===t),i=e.builds[r];if(!i)return e;let a={...i,steps:Na(i.steps,[n])};return{...e,builds:e.builds.with(r,a)}}function Na(e,t){if(t.length===0)return e;let n=new Map(e.map(e=>[e.key,e]));for(let e of t){let t=n.get(e.key);(!t||U(t.status,e.status))&&n.set(e.key,{...t,...e})}return[...n.values()]}function Pa(e,t){let[n,r]=[Date.parse(e.build.created_at),Date.parse(t.build.created_at)];return r-n||t.build.number-e.build.number||(e.build.id<t.build.id?1:-1)}var Fa=14,Ia=40,La=class extends k{static properties={steps:{attribute:!1}};constructor(){super(),this.steps=[]}static styles=[z,h`
			:host {
				display: block;
				min-width: 0;
			}

			.strip {
				--wide: 10px;
				--high: 14px;
				display: flex;
				flex-wrap: wrap;
				gap: 2px;
			}

			.narrow {
				--wide: 5px;
				gap: 1px;
			}

			.small {
				--wide: 4px;
				--high: 7px;
				gap: 1px;
			}

			.strip > * {
				width: var(--wide);
				height: var(--high);
				border: 1px solid var(--colour);
				border-radius: 1px;
				forced-color-adjust: none;
				--colour: var(--muted);
			}

			.strip > .passed {
				--colour: var(--passed);
				background: var(--colour);
			}

			.strip > .failed {
				--colour: var(--failed);
				background:
					linear-gradient(55deg, transparent 43%, var(--page) 43% 57%, transparent 57%),
					linear-gradient(-55deg, transparent 43%, var(--page) 43% 57%, transparent 57%), var(--colour);
			}

			.strip > .running {
				--colour: var(--running);
				background: repeating-linear-gradient(135deg, var(--colour) 0 2px, transparent 2px 4px);
			}

			.strip > .canceled {
				--colour: var(--canceled);
				background: linear-gradient(125deg, transparent 43%, var(--colour) 43% 57%, transparent 57%);
			}

			.strip > .skipped {
				border-color: transparent;
				background: linear-gradient(var(--colour), var(--colour)) center / 100% 2px no-repeat;
			}

			.strip > .lost {
				--colour: var(--stale);
				border-style: dashed;
			}

			.said {
				display: flex;
				gap: 0.25rem;
				margin-top: 0.125rem;
				font-size: 0.75rem;
			}

			bdi {
				overflow: hidden;
				text-overflow: ellipsis;
				white-space: nowrap;
			}

			.said .muted {
				white-space: nowrap;
			}
		`];render(){let{steps:e}=this;return e.length===0?E:w`
			<div class="strip ${e.length>Ia?`small`:e.length>Fa?`narrow`:``}" role="img" aria-label=${Ra(e)}>
				${e.map(e=>w`<span class=${e.status} title="${e.name||e.key}: ${e.status}"></span>`)}
			</div>
			${this.#e()}
		`}#e(){let e=[`failed`,`lost`,`running`].find(e=>this.steps.some(t=>t.status===e)),[t,...n]=this.steps.filter(t=>t.status===e);return t?w`
			<div class="said" aria-hidden="true">
				<status-mark brief .status=${t.status}></status-mark>
				<bdi class="muted" title=${t.name||t.key}>${t.name||t.key}</bdi>
				${n.length>0?w`<span class="muted">+ ${n.length}</span>`:E}
			</div>
		`:E}};function Ra(e){let t=Xt.flatMap(t=>{let n=e.filter(e=>e.status===t);if(n.length===0)return[];let r=t===`failed`||t===`running`||t===`lost`,i=n.slice(0,3).map(e=>e.name||e.key);return`${n.length} ${t}${r?` (${i.join(`, `)}${n.length>3?` …`:``})`:``}`});return`${N(e.length,`step`)}: ${t.join(`, `)}`}customElements.define(`step-strip`,La);var za=4,Ba=class extends k{static properties={listed:{attribute:!1},asof:{type:Number}};constructor(){super(),this.asof=0}static styles=[z,h`
			:host {
				display: grid;
				grid-column: 1 / -1;
				grid-template-columns: subgrid;
				align-items: center;
				padding: 0.5rem 0;
				font-size: 0.875rem;
			}

			:host(:hover),
			:host(:focus-within) {
				background: var(--panel);
			}

			[role] {
				min-width: 0;
				padding: 0 0.75rem;
				overflow-wrap: anywhere;
			}

			a {
				display: block;
				color: inherit;
				text-decoration: none;
			}

			/* A name that is written from the right stands where the others do. */
			bdi {
				text-align: match-parent;
			}

			.name {
				display: -webkit-box;
				overflow: hidden;
				color: var(--link);
				font-weight: 600;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			a:hover .name {
				text-decoration: underline;
			}

			.nameless {
				font-weight: 400;
			}

			.which {
				font-size: 0.8125rem;
			}

			.branch {
				font: 0.8125rem var(--mono);
			}

			.branch bdi,
			.author bdi {
				display: -webkit-box;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			.when {
				white-space: nowrap;
			}

			@media (max-width: 640px) {
				:host {
					position: relative;
					display: flex;
					flex-wrap: wrap;
					align-items: baseline;
					gap: 0.25rem 0.75rem;
					padding: 0.625rem 0.75rem;
				}

				[role] {
					padding: 0;
				}

				[role]:empty {
					display: none;
				}

				.status {
					flex: 1;
				}

				.what,
				.steps {
					flex: 0 0 100%;
					order: 1;
				}

				.branch,
				.author {
					order: 2;
				}

				.steps {
					order: 3;
				}

				/* All of a card is its link. */
				a::after {
					position: absolute;
					inset: 0;
					content: "";
				}

				a:focus-visible {
					outline: 0;
				}

				a:focus-visible::after {
					outline: 2px solid var(--link);
					outline-offset: -2px;
				}
			}
		`];render(){if(!this.listed)return E;let{build:e,steps:t}=this.listed;return w`
			<div role="cell" class="status"><status-mark .status=${e.status}></status-mark></div>
			<div role="rowheader" class="what">
				<a href="/builds/${e.id}">
					${e.title?w`<bdi class="name" title=${e.title}>${e.title}</bdi>`:w`<bdi class="name nameless">${Va(t)}</bdi>`}
					<span class="which"><bdi>${e.project}</bdi> #${e.number}</span>
				</a>
			</div>
			<div role="cell" class="branch">${e.branch?w`<bdi title=${e.branch}>${e.branch}</bdi>`:E}</div>
			<div role="cell" class="author">${e.author?w`<bdi title=${e.author}>${e.author}</bdi>`:E}</div>
			<div role="cell" class="steps">${t.length>0?w`<step-strip .steps=${t}></step-strip>`:E}</div>
			<div role="cell" class="when muted"><time-ago .time=${e.started_at??e.created_at}></time-ago></div>
			<div role="cell" class="took">${e.started_at?w`<run-progress
							.started=${e.started_at}
							.finished=${e.finished_at}
							.expected=${H(e.status)?null:e.expected_s}
							.asof=${this.asof}
						></run-progress>`:E}</div>
		`}focus(){this.renderRoot.querySelector(`a`)?.focus()}};function Va(e){if(e.length===0)return`No title, no steps yet`;let t=e.slice(0,za).map(e=>e.name||e.key),n=e.length-t.length;return`${t.join(`, `)}${n>0?` and ${n} more`:``}`}customElements.define(`build-item`,Ba);var Ha=200,Ua=class extends k{static properties={filter:{attribute:!1},known:{attribute:!1},asking:{state:!0}};constructor(){super(),this.filter=Q,this.known={project:[],branch:[],author:[]},this.asking=!1,new s(this)}static styles=[z,h`
			:host {
				display: block;
				margin-bottom: 0.75rem;
			}

			form {
				display: flex;
				flex-wrap: wrap;
				align-items: end;
				gap: 0.5rem 0.75rem;
			}

			label {
				display: grid;
				flex: 0 1 13rem;
				gap: 0.125rem;
				min-width: 8rem;
				color: var(--muted);
				font-size: 0.8125rem;
			}

			label.status {
				flex-basis: 8rem;
			}

			input,
			select {
				width: 100%;
				min-height: 2rem;
				padding: 0.125rem 0.5rem;
				border: 1px solid var(--control);
				border-radius: 0.375rem;
				background: var(--page);
				color: var(--text);
				font: 0.875rem var(--font);
			}

			button {
				min-height: 2rem;
			}

			[aria-pressed="true"] {
				background: var(--link);
				color: var(--page);
			}

			p {
				margin: 0.375rem 0 0;
				font-size: 0.875rem;
			}

			p:empty {
				display: none;
			}

			@media (max-width: 640px) {
				form {
					gap: 0.375rem 0.5rem;
				}

				label,
				label.status {
					flex: 1 1 6rem;
					min-width: 6rem;
				}

				label.project {
					flex-basis: 55%;
				}

				label.status {
					order: -1;
				}

				label.project {
					order: -2;
				}
			}

			@media (pointer: coarse) {
				input,
				select,
				button {
					min-height: 2.75rem;
				}
			}
		`];render(){let{filter:e}=this,t=o.get(`me`),n=t!==``&&e.author===t;return w`
			<form role="search" aria-label="Builds" @submit=${this.#t} @change=${this.#n}>
				${this.#e(`project`,`Project`,`All, or acme/*`)}
				${this.#e(`branch`,`Branch`,`All`)}
				<label class="status">
					Status
					<select name="status" .value=${e.status}>
						<option value="" ?selected=${e.status===``}>Any</option>
						${Xt.map(t=>w`<option value=${t} ?selected=${e.status===t}>${t}</option>`)}
					</select>
				</label>
				${this.#e(`author`,`Author`,`All`)}
				<button type="button" aria-pressed=${n} @click=${this.#r}>Mine</button>
				${e.author!==``&&!n?w`<button type="button" @click=${this.#i}>This is me</button>`:E}
				${ba(e)?E:w`<button type="button" @click=${()=>this.#a(Q)}>Clear</button>`}
			</form>
			<p role="status">${this.asking?`Who are you? Write your name into the author field, as builds show it, then press “This is me”.`:``}</p>
		`}focus(){this.renderRoot.querySelector(`input`)?.focus()}#e(e,t,n){return w`
			<label class=${e}>
				${t}
				<input
					name=${e}
					list="known-${e}"
					dir="auto"
					placeholder=${n}
					maxlength="500"
					autocomplete="off"
					autocapitalize="off"
					spellcheck="false"
					.value=${this.filter[e]}
				/>
				<datalist id="known-${e}">
					${this.known[e].slice(0,Ha).map(e=>w`<option value=${e}></option>`)}
				</datalist>
			</label>
		`}#t(e){e.preventDefault(),this.#n()}#n(){let e=this.renderRoot.querySelector(`form`);if(!e)return;let t=t=>String(new FormData(e).get(t)??``).trim();this.#a({project:t(`project`),branch:t(`branch`),author:t(`author`),status:t(`status`)})}#r(){let e=o.get(`me`);e===``?(this.asking=!0,this.renderRoot.querySelector(`[name=author]`)?.focus()):this.#a({...this.filter,author:this.filter.author===e?``:e})}#i(){o.set(`me`,this.filter.author),this.asking=!1,this.renderRoot.querySelector(`[aria-pressed]`)?.focus()}#a(e){ya(e,this.filter)||this.dispatchEvent(new CustomEvent(`filter`,{detail:e}))}};customElements.define(`builds-filter`,Ua);var Wa=/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/;function Ga(e){return[Ka(e),qa(e),Ja(e)]}function Ka(e){let t=`stepcast run --project hello -- echo hello`;return Wa.test(e)?{name:`With the client`,about:`On this machine: in Stepcast’s own folder, or with stepcast on the PATH.`,text:`PATH="$PATH:$PWD/bin" ${t.replace(`--project`,`--url ${e} --project`)}`}:{name:`With the client`,about:`With stepcast on the PATH, and a token that stepcast token made.`,text:`export STEPCAST_URL=${e} STEPCAST_TOKEN=stp_…\n${t}`}}function qa(e){return{name:`With curl`,about:`The server says at its start in which file its first token lies.`,text:`export STEPCAST_URL=${e} STEPCAST_TOKEN=$(cat path/to/token)
auth="Authorization: Bearer $STEPCAST_TOKEN" json='Content-Type: application/json'
build=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
curl -sS "$STEPCAST_URL/api/v1/builds" -H "$auth" -H "$json" \\
  -d "{\\"id\\":\\"$build\\",\\"project\\":\\"hello\\"}"
curl -sS "$STEPCAST_URL/api/v1/builds/$build/updates" -H "$auth" -H "$json" -d '{"updates":[
  {"step":{"key":"greet","status":"running"}},
  {"log":{"step":"greet","offset":0,"text":"hello\\n"}},
  {"step":{"key":"greet","status":"passed","exit_code":0}},
  {"build":{"status":"passed"}}]}'`}}function Ja(e){return{name:`In a CI system`,about:`In GitHub Actions; others are as short, and find each other’s jobs too.`,text:`env:
  STEPCAST_URL: ${e}
  STEPCAST_TOKEN: \${{ secrets.STEPCAST_TOKEN }}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: stepcast run -- make test
  stepcast:
    needs: [test]
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: stepcast build finish --status auto`}}var Ya=class extends k{static styles=[z,h`
			:host {
				display: block;
				max-width: 52rem;
			}

			.waiting {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				margin: 0 0 1rem;
				font-size: 1.0625rem;
			}

			.dot {
				flex: none;
				width: 0.625rem;
				height: 0.625rem;
				border-radius: 50%;
				background: var(--running);
			}

			section {
				margin-bottom: 1.25rem;
			}

			header {
				display: flex;
				align-items: end;
				justify-content: space-between;
				gap: 1rem;
				margin-bottom: 0.375rem;
			}

			h2,
			header p {
				margin: 0;
				font-size: 1rem;
			}

			header p {
				font-size: 0.875rem;
			}

			pre {
				margin: 0;
				padding: 0.75rem 1rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--panel);
				font: 0.8125rem / 1.5 var(--mono);
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			@media (prefers-reduced-motion: no-preference) {
				.dot {
					animation: pulse 2s ease-in-out infinite;
				}
			}

			@keyframes pulse {
				50% {
					opacity: 0.45;
				}
			}
		`];render(){return w`
			<p class="waiting">
				<span class="dot" aria-hidden="true"></span>
				No builds yet. Waiting for the first one, which appears here by itself.
			</p>
			${Ga(location.origin).map(({name:e,about:t,text:n})=>w`
					<section>
						<header>
							<div>
								<h2>${e}</h2>
								<p class="muted">${t}</p>
							</div>
							<copy-button .text=${n}></copy-button>
						</header>
						<pre>${n}</pre>
					</section>
				`)}
		`}};customElements.define(`first-build`,Ya);var Xa=50,Za=300,Qa=matchMedia(`(hover: hover)`),$a=[`Status`,`Build`,`Branch`,`Author`,`Steps`,`Started`,`Took`],eo=class extends k{static properties={failed:{state:!0},loading:{state:!0},slow:{state:!0},said:{state:!0},projects:{state:!0}};#e=new mr(this,{log:`feed`},$(Ta,{kind:`filter`,data:xa(new URLSearchParams(location.search))}),(e,t)=>{let n=$(e,t);return this.#t?.push(t),t.kind!==`live`||n.loaded&&this.failed===``||this.#d(),n});#t;#n;#r=new Set;constructor(){super(),this.failed=``,this.loading=!1,this.slow=!1,this.said=``,this.projects=[],new xn(this,`Builds`,[{keys:[`/`],help:`Go to the filter`,run:()=>this.#c?.focus()},{keys:[`j`],help:`Go to the next build; Enter opens it`,run:()=>this.#_(1)},{keys:[`k`],help:`Go to the previous build`,run:()=>this.#_(-1)}])}static styles=[z,h`
			:host {
				display: block;
				max-width: 100rem;
				margin: 0 auto;
				padding: 1rem;
			}

			[role="table"],
			.skeleton {
				display: grid;
				grid-template-columns: max-content minmax(14rem, 1fr) fit-content(14rem) fit-content(11rem) minmax(
						7rem,
						13rem
					) max-content max-content;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
			}

			.head {
				display: grid;
				grid-column: 1 / -1;
				grid-template-columns: subgrid;
				padding: 0.375rem 0;
				border-radius: 0.5rem 0.5rem 0 0;
				background: var(--panel);
				color: var(--muted);
				font-size: 0.8125rem;
				font-weight: 600;
			}

			.head > * {
				padding: 0 0.75rem;
			}

			build-item {
				border-top: 1px solid var(--line);
			}

			build-item:last-of-type {
				border-radius: 0 0 0.5rem 0.5rem;
			}

			.new {
				position: sticky;
				top: 0.5rem;
				z-index: 1;
				display: block;
				margin: 0 auto 0.5rem;
				box-shadow: 0 1px 4px rgb(0 0 0 / 30%);
			}

			.below {
				margin: 0.75rem 0 0;
			}

			.skeleton {
				grid-template-columns: 1fr;
			}

			.skeleton > * {
				height: 3.5rem;
				padding: 1.25rem 0.75rem;
			}

			.skeleton > * + * {
				border-top: 1px solid var(--line);
			}

			.skeleton > *::before {
				display: block;
				width: 60%;
				height: 1rem;
				border-radius: 0.25rem;
				background: var(--line);
				content: "";
			}

			@media (max-width: 640px) {
				:host {
					padding: 0.75rem;
				}

				[role="table"] {
					grid-template-columns: minmax(0, 1fr);
				}

				.head {
					position: absolute;
					width: 1px;
					height: 1px;
					overflow: hidden;
					clip-path: inset(50%);
				}

				.head + build-item {
					border-top: 0;
				}
			}
		`];connectedCallback(){super.connectedCallback(),Fn({title:`Builds · Stepcast`}),addEventListener(`scroll`,this.#v,{passive:!0}),addEventListener(`popstate`,this.#h),this.#d()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`scroll`,this.#v),removeEventListener(`popstate`,this.#h),this.#n?.abort()}render(){let{state:e,connection:t}=this.#e,{loaded:n,next:r,filter:i}=e,a=n||this.failed!==``?Da(e):[],o=t.name===`live`?0:this.#e.asOf,s=Oa(e),c=n&&!this.loading&&this.failed===``&&a.length===0&&s===0;return w`
			<h1 class="unseen">Builds</h1>
			<builds-filter
				.filter=${i}
				.known=${this.#l()}
				@filter=${this.#p}
				@focusin=${this.#u}
			></builds-filter>
			<p role="status" class="unseen">${this.said}</p>
			${s>0?w`<button class="new" @click=${this.#y}>${N(s,`new build`)}</button>`:E}
			${a.length>0?this.#i(a,o):E}
			${c?this.#a(i):E}
			${this.failed===``?E:this.#o(r)}
			${r!==void 0&&this.failed===``?w`<button class="below" ?disabled=${this.loading} @click=${()=>this.#d(r)}>
							Older builds
						</button>`:E}
			${this.slow&&a.length===0?this.#s():E}
		`}#i(e,t){return w`
			<div
				role="table"
				aria-label="Builds"
				aria-busy=${this.loading}
				@pointerenter=${this.#v}
				@pointerleave=${this.#v}
			>
				<div class="head" role="row">
					${$a.map(e=>w`<div role="columnheader">${e}</div>`)}
				</div>
				${j(e,({build:e})=>e.id,e=>w`<build-item role="row" .listed=${e} .asof=${t}></build-item>`)}
			</div>
		`}#a(e){return ba(e)?w`<first-build></first-build>`:w`<p>
			No builds match.
			<button @click=${()=>this.#m(Q)}>Clear the filter</button>
		</p>`}#o(e){return w`<p role="alert" class="below">
			The builds could not be loaded: ${this.failed}
			<button @click=${()=>this.#d(e)}>Try again</button>
		</p>`}#s(){return w`
			<p role="status" class="unseen">Loading…</p>
			<div class="skeleton" aria-hidden="true">
				${Array.from({length:8},()=>w`<div></div>`)}
			</div>
		`}willUpdate(e){this.#v()}updated(e){let{builds:t}=this.#e.state,n=t.find(({build:e,partial:t})=>t&&!this.#r.has(e.id));n&&this.#f(n.build.id)}get#c(){return this.renderRoot.querySelector(`builds-filter`)}#l(){let{builds:e}=this.#e.state,t=e=>[...new Set(e)].filter(e=>e!=null).sort();return{project:t([...this.projects,...e.map(({build:e})=>e.project)]),branch:t(e.map(({build:e})=>e.branch)),author:t(e.map(({build:e})=>e.author))}}async#u(){if(!(this.projects.length>0))try{let{projects:e}=await J(`/api/v1/projects`);this.projects=e.map(({name:e})=>e)}catch{}}async#d(e){this.#n?.abort();let t=new AbortController;this.#n=t,this.loading=!0,this.failed=``;let n=setTimeout(()=>{this.slow=!0},Za);this.#t=[];try{let n=Sa(this.#e.state.filter);n.set(`limit`,String(Xa)),e!==void 0&&n.set(`before`,e);let r=await J(`/api/v1/builds?${n}`,t.signal);if(t!==this.#n)return;let i=$(this.#e.state,{kind:`page`,data:r}),a=this.#t.reduce($,i);this.#e.update(a),this.said=`${N(Da(a).length,`build`)}${a.next===void 0?``:`, and older ones`}`}catch(e){t===this.#n&&(this.failed=Yr(e))}finally{clearTimeout(n),t===this.#n&&(this.#n=void 0,this.#t=void 0,this.loading=!1,this.slow=!1)}}async#f(e){this.#r.add(e);try{let t={kind:`snapshot`,id:``,data:{builds:[await J(`/api/v1/builds/${encodeURIComponent(e)}`)]}};this.#e.update($(this.#e.state,t))}catch{}}#p(e){this.#m(e.detail)}#m(e){let t=String(Sa(e));history.pushState(null,``,t===``?`/`:`/?${t}`),this.#g(e)}#h=()=>this.#g(xa(new URLSearchParams(location.search)));#g(e){this.#e.update($(this.#e.state,{kind:`filter`,data:e})),this.#d()}#_(e){let t=[...this.renderRoot.querySelectorAll(`build-item`)],n=t.findIndex(e=>e.matches(`:focus-within`));t[n<0?0:Math.min(t.length-1,Math.max(0,n+e))]?.focus()}#v=()=>{let{state:e}=this.#e,t=this.renderRoot.querySelector(`[role=table]`)?.matches(`:hover`)??!1,n=e.loaded&&(scrollY>0||t&&Qa.matches);n!==(e.frozen!==void 0)&&this.#e.update($(e,{kind:n?`freeze`:`thaw`}))};#y(){this.#e.update($(this.#e.state,{kind:`freeze`}))}};customElements.define(`builds-page`,eo);var to={Mod:/Mac|iPhone|iPad/.test(navigator.platform)?`⌘`:`Ctrl`,Escape:`Esc`,ArrowUp:`↑`,ArrowDown:`↓`," ":`Space`},no=class extends k{constructor(){super(),new s(this)}static styles=[z,h`
			dialog {
				width: min(44rem, calc(100vw - 2rem));
				max-height: min(44rem, calc(100dvh - 2rem));
				padding: 1rem 1.25rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--page);
				color: var(--text);
			}

			dialog::backdrop {
				background: rgb(0 0 0 / 45%);
			}

			header {
				display: flex;
				align-items: center;
				justify-content: space-between;
				gap: 1rem;
			}

			h2,
			h3 {
				margin: 0;
				font-size: 1.125rem;
			}

			h3 {
				margin-bottom: 0.25rem;
				font-size: 0.9375rem;
			}

			label {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 2.75rem;
				margin-bottom: 0.5rem;
			}

			.groups {
				columns: 18rem 2;
				column-gap: 2rem;
			}

			section {
				margin-bottom: 1rem;
				break-inside: avoid;
			}

			dl,
			dl > div {
				margin: 0;
			}

			dl > div {
				display: grid;
				grid-template-columns: 6.5rem 1fr;
				gap: 0.5rem;
				padding: 0.1875rem 0;
				font-size: 0.875rem;
			}

			dd {
				margin: 0;
			}
		`];render(){return w`
			<dialog aria-labelledby="heading">
				<header>
					<h2 id="heading">Keys</h2>
					<form method="dialog"><button>Close</button></form>
				</header>
				<label>
					<input type="checkbox" .checked=${o.get(`keys`)} @change=${this.#e} />
					Single keys do something
				</label>
				<div class="groups">
					${[...Sn()].map(([e,t])=>w`
							<section>
								<h3>${e}</h3>
								<dl>
									${t.map(e=>w`<div><dt>${ro(e)}</dt><dd>${e.help}</dd></div>`)}
								</dl>
							</section>
						`)}
				</div>
			</dialog>
		`}async show(){this.requestUpdate(),await this.updateComplete;let e=this.renderRoot.querySelector(`dialog`);e&&!e.open&&Cn(e)}#e(e){o.set(`keys`,e.target.checked)}};function ro({keys:e}){return e.map((e,t)=>{let n=e===` `?[e]:e.split(/[ +](?=.)/);return w`${t>0?`, `:``}${n.map((e,t)=>w`${t>0?` `:``}<kbd>${to[e]??(n[0]===`Mod`?e.toUpperCase():e)}</kbd>`)}`})}customElements.define(`help-dialog`,no);var io=class extends k{static properties={connection:{attribute:!1},slow:{state:!0},old:{state:!0}};#e=new V(this);#t;constructor(){super(),this.connection={name:`connecting`},this.slow=!1,this.old=!1}static styles=[z,h`
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
		`];connectedCallback(){super.connectedCallback(),this.#t=setTimeout(()=>{this.slow=!0},1e3),addEventListener(sr,this.#r),document.addEventListener(`visibilitychange`,this.#i)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.#t),removeEventListener(sr,this.#r),document.removeEventListener(`visibilitychange`,this.#i)}willUpdate(e){this.#e.wanted=this.connection.name===`stale`||this.connection.name===`reconnecting`}render(){let[e,t]=this.#n();return w`
			<span class=${this.connection.name}>
				<span role="status" class="unseen">${e}</span>
				<span aria-hidden="true">${t}</span>
			</span>
			<button
				?hidden=${this.connection.name!==`reconnecting`&&this.connection.name!==`stale`}
				@click=${this.#a}
			>
				Retry now
			</button>
			<button ?hidden=${!this.old} @click=${()=>location.reload()}>New version · Reload</button>
		`}#n(){let e=this.connection;switch(e.name){case`connecting`:return this.slow?[`Connecting`,`Connecting…`]:[``,``];case`live`:return[`Live`,`● Live`];case`stale`:return[`No news from the server`,`! No news for ${F(Date.now()-e.news)}`];case`reconnecting`:return e.at===void 0?[`Reconnecting`,`Reconnecting…`]:[`Reconnecting`,`Reconnecting in ${Math.max(0,Math.ceil((e.at-Date.now())/1e3))} s`];case`offline`:return[`Offline`,`Offline: showing what was loaded`];case`finished`:return[`Finished`,e.at===void 0?`Finished`:`Finished ${ht(e.at)}`];case`refused`:return[`Not connected`,`Not connected`]}}#r=()=>{this.old=!0,this.#i()};#i=()=>{this.old&&document.hidden&&performance.now()>6e4&&location.reload()};#a(){this.dispatchEvent(new Event(`stepcast-retry`,{bubbles:!0,composed:!0}))}};customElements.define(`stream-state`,io);var ao={auto:`light`,light:`dark`,dark:`auto`},oo={auto:je`<circle cx="8" cy="8" r="5.5" /><path class="solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />`,light:je`<circle class="solid" cx="8" cy="8" r="2.75" /><path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />`,dark:je`<path class="solid" d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />`};function so(){return ao[o.get(`theme`)]}var co=class extends k{constructor(){super(),new s(this)}static styles=[z,h`
			:host {
				display: inline-flex;
			}
		`];render(){let e=o.get(`theme`),t=`Theme: ${e}`;return w`
			<button class="icon" aria-label=${t} title=${t} @click=${this.#e}>
				<svg viewBox="0 0 16 16" aria-hidden="true">${oo[e]}</svg>
			</button>
		`}#e(){o.set(`theme`,so())}};customElements.define(`theme-button`,co);var lo={tiles:new Map,loaded:!1,truncated:!1};function uo({project:e,branch:t}){return`${e}\n${t??``}`}function fo(e,t){switch(t.kind){case`snapshot`:{let n=t.data.truncated??!1;return t.data.builds.reduce(po,{...e,loaded:!0,truncated:n})}case`build`:return po(e,t.data);case`step`:return mo(e,t.data.build_id,t.data);case`past`:return ho(e,t);case`reset`:return lo;default:return e}}function po(e,{steps:t,...n}){let r=uo(n),i=e.tiles.get(r);if(i&&i.build.number>n.number)return go(e,_o(i,n));let a=i?.build.id===n.id;return i&&a&&!U(i.build.status,n.status)?e:go(e,_o({key:r,build:{...n,expected_s:n.expected_s??i?.build.expected_s??null},steps:vo(a?i.steps:[],t??[]),failures:i?.failures??[],passed:i?.passed??0,past:i?.past??`unknown`},n))}function mo(e,t,n){for(let r of e.tiles.values())if(r.build.id===t)return go(e,{...r,steps:vo(r.steps,[n])});return e}function ho(e,{key:t,builds:n,whole:r}){let i=e.tiles.get(t);if(!i)return e;let a=n.reduce(_o,i);return go(e,{...a,past:r||a.past===`whole`?`whole`:`part`})}function go(e,t){return e.tiles.get(t.key)===t?e:{...e,tiles:new Map(e.tiles).set(t.key,t)}}function _o(e,t){let{number:n,status:r}=t;if(n<=e.passed)return e;if(r===`passed`)return{...e,passed:n,failures:e.failures.filter(e=>e.number>n),past:n===e.build.number?`whole`:e.past};if(r!==`failed`||e.failures.some(e=>e.number===n))return e;let i={number:n,at:t.finished_at??t.created_at,author:t.author??void 0},[a=i,...o]=[...e.failures,i].sort((e,t)=>e.number-t.number);return{...e,failures:[a,...o.slice(-49)]}}function vo(e,t){let n=new Map(e.map(e=>[e.key,e]));for(let e of t){let t=n.get(e.key);(!t||U(t.status,e.status))&&n.set(e.key,{...t,...e})}return[...n.values()]}function yo({past:e,build:t}){return e===`unknown`&&t.status!==`skipped`}var bo=50,xo=4;async function So({key:e,build:t},n){let r=[],i;for(let a=0;a<xo;a++){let a=new URLSearchParams({project:t.project,limit:String(bo)});a.append(`status`,`passed`),a.append(`status`,`failed`),t.branch&&a.set(`branch`,t.branch),i!==void 0&&a.set(`before`,i);let o=await fetch(`/api/v1/builds?${a}`,{headers:{Accept:`application/json`},signal:AbortSignal.any([n,AbortSignal.timeout(15e3)])});if(!o.ok)throw Error(`the list of builds: ${o.status}`);let{builds:s,next:c}=await o.json();if(r.push(...s.filter(t=>uo(t)===e)),!c||r.some(({status:e})=>e===`passed`))return{kind:`past`,key:e,builds:r,whole:!0};i=c}return{kind:`past`,key:e,builds:r,whole:!1}}var Co=24;function wo(e){let t=new URLSearchParams(e),n=Number(t.get(`cols`));return{projects:t.getAll(`project`).filter(Boolean),branches:t.getAll(`branch`).filter(Boolean),cols:Number.isInteger(n)&&n>0?Math.min(n,Co):void 0,problems:t.get(`mode`)===`problems`}}function To({build:e,failures:t}){switch(e.status){case`failed`:return 0;case`lost`:return 1;case`canceled`:return 2;case`running`:case`queued`:return t.length>0?3:e.status===`running`?4:5;default:return 5}}function Eo(e){return To(e)<=3}function Do(e,t){let{projects:n,branches:r}=t;return[...e.tiles.values()].filter(({build:e})=>(n.length===0||n.some(t=>ko(t,e.project)))&&(r.length===0||r.includes(e.branch??``))).sort((e,t)=>To(e)-To(t)||(e.key<t.key?-1:1))}function Oo(e,t){let n=new Set(e.map(({build:e})=>e.project));return t.projects.filter(e=>!e.includes(`*`)&&!n.has(e))}function ko(e,t){return e.endsWith(`*`)?t.startsWith(e.slice(0,-1)):t===e}function Ao({status:e,started_at:t,expected_s:n},r){if(e===`running`&&t&&n)return Math.min(1,Math.max(0,(r-Date.parse(t))/(n*1e3)))}function jo(e){let t=(...t)=>e.filter(({build:e})=>t.includes(e.status)).length,n=t(`passed`);return n===e.length?n===1?`Passing`:`All ${n} passing`:`No problems: ${[[n,`passing`],[t(`running`),`running`],[t(`queued`),`queued`],[t(`skipped`),`skipped`]].filter(([e])=>e>0).map(([e,t])=>`${e} ${t}`).join(`, `)}`}var Mo={width:220,height:136},No=8;function Po(e,t,n,r){let i=(e,t)=>Math.max(1,Math.floor((e+No)/(t+No))),a=i(n,Mo.height),o=r??i(t,Mo.width);if(e>o*a)return{cols:o,rows:a,pages:Math.ceil(e/(o*a))};let s={cols:r??1,rows:Math.max(1,Math.ceil(e/(r??1))),pages:1},c=0;for(let i=1;r===void 0&&i<=Math.min(e,o);i++){let r=Math.ceil(e/i);if(r>a)continue;let o=Math.min(t/i/1.6,n/r);o>c&&([s,c]=[{cols:i,rows:r,pages:1},o])}return s}function Fo(e){let t=[[0,0],[3,0],[3,3],[0,3],[-3,3],[-3,0],[-3,-3],[0,-3],[3,-3]];return t[Math.floor(e/6e5)%t.length]??t[0]}function Io({steps:e}){let t=e.filter(({status:e})=>e===`failed`||e===`lost`);return[t[0],Math.max(0,t.length-1)]}var Lo=class extends k{static properties={tile:{attribute:!1},now:{type:Number},coarse:{type:Boolean}};constructor(){super(),this.now=0,this.coarse=!1}static styles=[z,h`
			:host {
				display: block;
				container-type: size;
				min-width: 0;
				min-height: 0;
			}

			a {
				position: relative;
				display: flex;
				flex-direction: column;
				justify-content: space-between;
				height: 100%;
				padding: 0.5em 0.75em 0.65em;
				overflow: hidden;
				border-radius: 0.375rem;
				/* What holds on a tile: white on each of these is at least 6.6:1. */
				background: var(--tile, #4a525c);
				color: #ffffff;
				font-size: clamp(0.8125rem, min(5.5cqi, 11cqb), 3.5rem);
				line-height: 1.25;
				text-decoration: none;
			}

			a:hover .project {
				text-decoration: underline;
			}

			.passed {
				--tile: #116329;
			}

			.failed {
				--tile: #b3212b;
			}

			.running {
				--tile: #7d4e00;
			}

			.canceled {
				--tile: #5b3fa8;
			}

			.lost {
				--tile: #333b44;
			}

			.project,
			.branch,
			.why {
				display: -webkit-box;
				overflow: hidden;
				overflow-wrap: anywhere;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 1;
			}

			.why {
				-webkit-line-clamp: 2;
			}

			.project {
				-webkit-line-clamp: 2;
				font-size: 1.15em;
				font-weight: 700;
				line-height: 1.15;
			}

			.number {
				font-weight: 400;
				white-space: nowrap;
			}

			.status {
				display: flex;
				flex-wrap: wrap;
				align-items: baseline;
				gap: 0 0.6em;
			}

			status-mark {
				color: inherit;
				font-size: 1.5em;
			}

			.time {
				font-variant-numeric: tabular-nums;
				white-space: nowrap;
			}

			.track {
				position: absolute;
				inset: auto 0 0;
				height: 0.4em;
				background: rgb(0 0 0 / 35%);
			}

			.track::after {
				content: "";
				position: absolute;
				inset: 0;
				width: calc(var(--done) * 100%);
				background: #ffffff;
			}
		`];render(){if(!this.tile)return E;let{build:e}=this.tile,t=Ao(e,this.now);return w`
			<a href="/builds/${e.id}" class=${e.status}>
				<span class="name">
					<span class="project">
						<bdi>${B(e.project,40)}</bdi>
						<span class="number">#${e.number}</span>
					</span>
					${e.branch?w`<span class="branch"><bdi>${B(e.branch,28)}</bdi></span>`:E}
				</span>
				<span class="status">
					<status-mark .status=${e.status}></status-mark>
					<span class="time">${this.#e()}</span>
				</span>
				${this.#t(this.tile)}
				${t===void 0?E:w`<span
								class="track"
								${en({"--done":this.coarse?Math.floor(t*20)/20:t})}
							></span>`}
			</a>
		`}#e(){if(!this.tile)return``;let{status:e,created_at:t,started_at:n,finished_at:r,expected_s:i}=this.tile.build,a=I(n),o=I(r);if(e===`queued`)return`for ${F(this.now-Date.parse(t))}`;if(e===`running`&&a!==void 0){let e=i?` of about ${F(i*1e3)}`:``;return`${F(this.now-a)}${e}`}return o===void 0?``:mt(o,this.now)}#t(e){let[t,n]=Io(e),[r]=e.failures,i=[];if(t&&i.push(w`<bdi>${B(t.name||t.key,30)}</bdi>${n>0?` and ${n} more`:``}`),r&&e.past!==`unknown`){let t=e.past===`part`?`at least `:``;i.push(w`failing for ${t}${F(this.now-Date.parse(r.at))}, since #${r.number}${r.author?w` by <bdi>${B(r.author,24)}</bdi>`:E}`)}return i.length===0?E:w`<span>${i.map(e=>w`<span class="why">${e}</span>`)}</span>`}};customElements.define(`wall-tile`,Lo);var Ro=45e3,zo=2e4,Bo=5e3,Vo=4,Ho=600,Uo=new Intl.DateTimeFormat(`en-GB`,{timeStyle:`medium`}),Wo=class extends k{static properties={size:{state:!0},page:{state:!0},paused:{state:!0},still:{type:Boolean,reflect:!0},projects:{state:!0}};#e=wo(location.search);#t=new mr(this,{log:`feed`},lo,(e,t)=>(this.#i=void 0,(t.kind===`live`||t.kind===`reset`)&&this.#s.clear(),fo(e,t)));#n={all:[],problems:0,shown:[],pages:1,cols:1,rows:1};#r;#i;#a=Date.now();#o=Date.now();#s=new Set;#c=0;#l=new AbortController;#u;#d;#f=matchMedia(`(prefers-reduced-motion: reduce)`);#p=new ResizeObserver(([e])=>{e&&(this.size=e.contentRect)});constructor(){super(),this.size={width:innerWidth,height:innerHeight},this.page=0,this.paused=this.#f.matches,this.still=!1,new V(this)}static styles=[z,h`
			:host {
				display: grid;
				grid-template-rows: minmax(0, 1fr) auto;
				gap: 0.5rem;
				height: 100vh;
				height: 100dvh;
				/* Moves by a few pixels now and then, so that no screen keeps its edges. */
				padding: calc(0.75rem + var(--y) * 1px) calc(0.75rem - var(--x) * 1px)
					calc(0.5rem - var(--y) * 1px) calc(0.75rem + var(--x) * 1px);
			}

			:host([still]) {
				cursor: none;
			}

			.stale {
				position: relative;
				padding: 1.25rem;
				background: repeating-linear-gradient(
					-45deg,
					#333b44 0 1rem,
					#e3b341 1rem 2rem
				);
			}

			.board {
				display: grid;
				grid-template-rows: auto minmax(0, 1fr);
				min-height: 0;
				min-width: 0;
			}

			.stale .tiles,
			.stale .calm {
				background: var(--page);
			}

			/* What may be old is no colour to go by. */
			.stale wall-tile,
			.stale status-mark {
				filter: grayscale(1);
			}

			.alarm {
				margin: 0;
				padding: 0.25em 0.5em;
				background: #333b44;
				color: #ffffff;
				font-size: clamp(1.25rem, 4vw, 4rem);
				font-weight: 700;
				text-align: center;
			}

			.alarm:empty {
				display: none;
			}

			.tiles {
				display: grid;
				grid-template-columns: repeat(var(--cols), minmax(0, 1fr));
				grid-template-rows: repeat(var(--rows), minmax(0, 1fr));
				grid-row: 2;
				gap: 0.5rem;
				min-height: 0;
				margin: 0;
				padding: 0;
				list-style: none;
			}

			li {
				display: grid;
				min-width: 0;
				min-height: 0;
			}

			.absent {
				align-content: center;
				padding: 0.5rem 1rem;
				border: 2px dashed var(--control);
				border-radius: 0.375rem;
				font-size: clamp(1rem, 1.5vw, 2rem);
				overflow-wrap: anywhere;
			}

			.calm {
				display: grid;
				grid-row: 2;
				place-content: center;
				justify-items: center;
				gap: 1rem;
				padding: 1rem;
				font-size: clamp(1.5rem, 5vw, 5rem);
				font-weight: 700;
				text-align: center;
			}

			.calm status-mark {
				font-size: 2em;
			}

			.calm p {
				margin: 0;
			}

			.calm .why {
				font-size: clamp(1rem, 2vw, 2rem);
				font-weight: 400;
			}

			footer {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0 1.25rem;
				min-height: 2rem;
				color: var(--muted);
				font-size: clamp(0.875rem, 1.1vw, 1.75rem);
				font-variant-numeric: tabular-nums;
			}

			footer .clock {
				margin-left: auto;
				color: var(--text);
				font-size: 1.5em;
				font-weight: 700;
			}

			@media (max-width: 640px) {
				:host {
					height: auto;
					min-height: 100dvh;
				}

				.tiles {
					grid-template-rows: none;
					grid-auto-rows: 9rem;
				}
			}
		`];connectedCallback(){super.connectedCallback(),this.#l=new AbortController;let e={signal:this.#l.signal,passive:!0};for(let t of[`pointermove`,`pointerdown`,`keydown`])addEventListener(t,this.#T,e);document.addEventListener(`visibilitychange`,this.#E,e),this.#T(),this.#E()}disconnectedCallback(){super.disconnectedCallback(),this.#l.abort(),this.#p.disconnect(),clearTimeout(this.#u),this.#d?.release()}firstUpdated(){this.#p.observe(this.renderRoot.querySelector(`.board`))}willUpdate(e){let t=Date.now();this.#m(t),this.#n=this.#g(this.#t.state);let[n,r]=Fo(t);this.style.setProperty(`--x`,String(n)),this.style.setProperty(`--y`,String(r)),t-this.#o>=zo&&(this.#o=t,!this.paused&&!this.shadowRoot?.activeElement&&this.page++)}#m(e){let{connection:t}=this.#t,n=e-this.#a>Ro&&document.visibilityState===`visible`;this.#a=e,n&&this.#r!==void 0?(this.#i=e,dispatchEvent(new Event(`stepcast-retry`))):(this.#i!==void 0&&e-this.#i>Ro&&(this.#i=void 0),t.name===`live`&&this.#i===void 0&&(this.#r=e),t.name===`stale`&&(this.#r=Math.min(this.#r??t.news,t.news)))}get#h(){let{name:e}=this.#t.connection;return this.#r===void 0?!1:e===`live`?this.#i!==void 0:e!==`reconnecting`&&e!==`connecting`||Date.now()-this.#r>Ro}render(){let{state:e,connection:t}=this.#t,n=this.#h,r=t.name===`live`&&!n?Date.now():this.#r??Date.now();return w`
			<h1 class="unseen">Wallboard</h1>
			<div class="board ${n?`stale`:``}">
				<p role="alert" class="alarm">${n&&this.#r!==void 0?`NO DATA SINCE ${ht(this.#r)}`:E}</p>
				${this.#_(e,r)}
			</div>
			${this.#x(e)}
		`}#g(e){let t=Do(e,this.#e),n=t.filter(Eo),r=[...this.#e.problems?n:t,...e.loaded?Oo(t,this.#e):[]],{width:i,height:a}=this.size,{cols:o}=this.#e,s=i<Ho?{cols:o??1,rows:r.length,pages:1}:Po(r.length,i,a,o);return{all:t,problems:n.length,shown:r,...s}}#_(e,t){let{all:n,shown:r,pages:i,cols:a,rows:o}=this.#n;if(!e.loaded)return this.#v(...this.#y());if(r.length===0&&n.length===0)return this.#v(`No builds yet`,`The first one for this board appears here by itself.`);if(r.length===0)return w`<div class="calm">
				<status-mark brief .status=${`passed`}></status-mark>
				<p>${jo(n)}</p>
			</div>`;let s=this.page%i*a*o;return w`
			<ul role="list" class="tiles" ${en({"--cols":a,"--rows":o})}>
				${j(r.slice(s,s+a*o),e=>typeof e==`string`?e:e.key,e=>typeof e==`string`?w`<li class="absent">
									<strong><bdi>${e}</bdi></strong> ${this.#b(e)}
								</li>`:w`<li>
									<wall-tile .tile=${e} .now=${t} .coarse=${this.#f.matches}></wall-tile>
								</li>`)}
			</ul>
		`}#v(e,t){return w`<div class="calm">
			<p>${e}</p>
			<p class="why">${t}</p>
		</div>`}#y(){let{connection:e}=this.#t;return e.name===`connecting`||e.name===`live`?[`Loading…`,``]:e.name===`refused`?e.status===401?[`Not signed in`,`Sign in to see this board.`]:[`Not available`,`The server refused this board (HTTP status ${e.status}).`]:[`No data yet`,`The server cannot be reached. This board goes on trying.`]}#b(e){if(this.projects?.has(e)===!1)return`There is no such project.`;let{branches:t}=this.#e;return t.length>0?`No build on ${t.join(` or `)} yet.`:`No build yet.`}#x(e){let{all:t,problems:n,pages:r}=this.#n;return w`
			<footer>
				${e.loaded?w`<span>${n===0?`No problems`:N(n,`problem`)}, ${M(t.length)} watched</span>`:E}
				${e.truncated?w`<span>More branches than a board holds: name projects or branches in its address.</span>`:E}
				${r>1?this.#S(r):E}
				<stream-state .connection=${this.#t.connection}></stream-state>
				<span class="clock">${ht(Date.now())}</span>
				${this.#r===void 0?E:w`<span>as of ${Uo.format(this.#r)}</span>`}
			</footer>
		`}#S(e){let t=t=>()=>{this.paused=!0,this.page=(this.page+t+e)%e};return w`<span class="pages">
			<button aria-label="Previous page" @click=${t(-1)}>‹</button>
			Page ${this.page%e+1} of ${e}
			<button aria-label="Next page" @click=${t(1)}>›</button>
			<button
				@click=${()=>{this.paused=!this.paused,this.#o=Date.now()}}
			>
				${this.paused?`Turn pages`:`Stay on this page`}
			</button>
		</span>`}updated(e){let{state:t,connection:n}=this.#t,{all:r,problems:i,shown:a}=this.#n,o=this.#h?`! no data`:i>0?`✗ ${i}`:`✓`;if(document.title=`${t.loaded?`${o} · `:``}Wallboard · Stepcast`,n.name===`live`){for(let e of r)yo(e)&&!this.#s.has(e.key)&&this.#C(e);this.projects===void 0&&a.some(e=>typeof e==`string`)&&this.#w()}}async#C(e){if(!(this.#c>=Vo)){this.#s.add(e.key),this.#c++;try{let t=await So(e,this.#l.signal);this.#t.update(fo(this.#t.state,t))}catch{}finally{this.#c--,this.requestUpdate()}}}async#w(){this.projects=new Set;try{let e=await fetch(`/api/v1/projects`,{headers:{Accept:`application/json`},signal:this.#l.signal});if(!e.ok)throw Error(`the list of projects: ${e.status}`);let{projects:t}=await e.json();this.projects=new Set(t.map(({name:e})=>e))}catch{this.projects=void 0}}#T=()=>{this.still=!1,clearTimeout(this.#u),this.#u=setTimeout(()=>{this.still=!0},Bo)};#E=async()=>{if(document.visibilityState===`visible`&&`wakeLock`in navigator)try{this.#d=await navigator.wakeLock.request(`screen`),this.#l.signal.aborted&&await this.#d.release()}catch{}}};customElements.define(`wall-page`,Wo);var Go=class extends k{static properties={connection:{state:!0}};constructor(){super(),this.connection={name:`connecting`},new xn(this,`Everywhere`,[{keys:[`?`],help:`Show the keys`,run:()=>this.#e()}])}static styles=[z,h`
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
		`];render(){return location.pathname===`/wall`?w`<main><wall-page></wall-page></main>`:w`
			<header>
				<a class="home" href="/">Stepcast</a>
				<stream-state .connection=${this.connection}></stream-state>
				<theme-button></theme-button>
			</header>
			<main @connection=${this.#n}>${this.#t()}</main>
			<help-dialog></help-dialog>
		`}#e(){this.renderRoot.querySelector(`help-dialog`)?.show()}#t(){let e=/^\/builds\/([^/]+)\/?$/.exec(location.pathname)?.[1];return e?w`<build-page .build=${decodeURIComponent(e)}></build-page>`:location.pathname===`/`?w`<builds-page></builds-page>`:w`<p>There is no such page. <a href="/">All builds</a></p>`}#n(e){this.connection=e.detail}};customElements.define(`stepcast-app`,Go);