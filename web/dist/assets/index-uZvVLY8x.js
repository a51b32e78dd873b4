var e={theme:`auto`,keys:!0,times:`off`,wrap:!0,exact:!1,me:``},t={theme:[`auto`,`light`,`dark`],times:[`off`,`absolute`,`build`,`step`]},n=`stepcast.`,r=class extends EventTarget{#e=a();constructor(){super(),addEventListener(`storage`,({key:e,storageArea:t})=>{t!==i()||e!==null&&!e.startsWith(n)||(this.#e=a(),this.dispatchEvent(new Event(`change`)))})}get(e){return this.#e[e]}set(e,t){if(t!==this.#e[e]){this.#e={...this.#e,[e]:t};try{i()?.setItem(n+e,JSON.stringify(t))}catch{}this.dispatchEvent(new Event(`change`))}}};function i(){try{return localStorage}catch{return}}function a(){let r=Object.entries(e).map(([e,r])=>{try{let a=JSON.parse(i()?.getItem(n+e)??``),o=t[e];return[e,(o?o.includes(a):typeof a==typeof r)?a:r]}catch{return[e,r]}});return Object.fromEntries(r)}var o=new r,s=class{#e;constructor(e){this.#e=e,e.addController(this)}hostConnected(){o.addEventListener(`change`,this.#t)}hostDisconnected(){o.removeEventListener(`change`,this.#t)}#t=()=>this.#e.requestUpdate()};function c(){let e=o.get(`theme`);e===`auto`?delete document.documentElement.dataset.theme:document.documentElement.dataset.theme=e}o.addEventListener(`change`,c),c();var l=globalThis,u=l.ShadowRoot&&(l.ShadyCSS===void 0||l.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,d=Symbol(),f=new WeakMap,p=class{constructor(e,t,n){if(this._$cssResult$=!0,n!==d)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,t=this.t;if(u&&e===void 0){let n=t!==void 0&&t.length===1;n&&(e=f.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),n&&f.set(t,e))}return e}toString(){return this.cssText}},m=e=>new p(typeof e==`string`?e:e+``,void 0,d),h=(e,...t)=>new p(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,d),ee=(e,t)=>{if(u)e.adoptedStyleSheets=t.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let n of t){let t=document.createElement(`style`),r=l.litNonce;r!==void 0&&t.setAttribute(`nonce`,r),t.textContent=n.cssText,e.appendChild(t)}},te=u?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return m(t)})(e):e,{is:ne,defineProperty:re,getOwnPropertyDescriptor:ie,getOwnPropertyNames:ae,getOwnPropertySymbols:oe,getPrototypeOf:se}=Object,ce=globalThis,le=ce.trustedTypes,ue=le?le.emptyScript:``,de=ce.reactiveElementPolyfillSupport,fe=(e,t)=>e,pe={toAttribute(e,t){switch(t){case Boolean:e=e?ue:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},me=(e,t)=>!ne(e,t),he={attribute:!0,type:String,converter:pe,reflect:!1,useDefault:!1,hasChanged:me};Symbol.metadata??=Symbol(`metadata`),ce.litPropertyMetadata??=new WeakMap;var g=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=he){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&re(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=ie(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??he}static _$Ei(){if(this.hasOwnProperty(fe(`elementProperties`)))return;let e=se(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(fe(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(fe(`properties`))){let e=this.properties,t=[...ae(e),...oe(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(te(e))}else e!==void 0&&t.push(te(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return ee(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?pe:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?pe:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??me)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};g.elementStyles=[],g.shadowRootOptions={mode:`open`},g[fe(`elementProperties`)]=new Map,g[fe(`finalized`)]=new Map,de?.({ReactiveElement:g}),(ce.reactiveElementVersions??=[]).push(`2.1.2`);var ge=globalThis,_e=e=>e,ve=ge.trustedTypes,ye=ve?ve.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,be=`$lit$`,_=`lit$${Math.random().toFixed(9).slice(2)}$`,xe=`?`+_,Se=`<${xe}>`,v=document,y=()=>v.createComment(``),b=e=>e===null||typeof e!=`object`&&typeof e!=`function`,Ce=Array.isArray,we=e=>Ce(e)||typeof e?.[Symbol.iterator]==`function`,Te=`[ 	
\f\r]`,x=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Ee=/-->/g,De=/>/g,S=RegExp(`>|${Te}(?:([^\\s"'>=/]+)(${Te}*=${Te}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),Oe=/'/g,ke=/"/g,Ae=/^(?:script|style|textarea|title)$/i,je=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),C=je(1),Me=je(2),w=Symbol.for(`lit-noChange`),T=Symbol.for(`lit-nothing`),Ne=new WeakMap,E=v.createTreeWalker(v,129);function Pe(e,t){if(!Ce(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return ye===void 0?t:ye.createHTML(t)}var Fe=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=x;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===x?c[1]===`!--`?o=Ee:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=S):(Ae.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=S):o=De:o===S?c[0]===`>`?(o=i??x,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?S:c[3]===`"`?ke:Oe):o===ke||o===Oe?o=S:o===Ee||o===De?o=x:(o=S,i=void 0);let d=o===S&&e[t+1].startsWith(`/>`)?` `:``;a+=o===x?n+Se:l>=0?(r.push(s),n.slice(0,l)+be+n.slice(l)+_+d):n+_+(l===-2?t:d)}return[Pe(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Ie=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=Fe(t,n);if(this.el=e.createElement(l,r),E.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=E.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(be)){let t=u[o++],n=i.getAttribute(e).split(_),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Be:r[1]===`?`?Ve:r[1]===`@`?He:ze}),i.removeAttribute(e)}else e.startsWith(_)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(Ae.test(i.tagName)){let e=i.textContent.split(_),t=e.length-1;if(t>0){i.textContent=ve?ve.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],y()),E.nextNode(),c.push({type:2,index:++a});i.append(e[t],y())}}}else if(i.nodeType===8){if(i.data===xe)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(_,e+1))!==-1;)c.push({type:7,index:a}),e+=_.length-1}}a++}}static createElement(e,t){let n=v.createElement(`template`);return n.innerHTML=e,n}};function D(e,t,n=e,r){if(t===w)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=b(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=D(e,i._$AS(e,t.values),i,r)),t}var Le=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??v).importNode(t,!0);E.currentNode=r;let i=E.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new Re(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new Ue(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=E.nextNode(),a++)}return E.currentNode=v,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},Re=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=T,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=D(this,e,t),b(e)?e===T||e==null||e===``?(this._$AH!==T&&this._$AR(),this._$AH=T):e!==this._$AH&&e!==w&&this._(e):e._$litType$===void 0?e.nodeType===void 0?we(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==T&&b(this._$AH)?this._$AA.nextSibling.data=e:this.T(v.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Ie.createElement(Pe(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new Le(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=Ne.get(e.strings);return t===void 0&&Ne.set(e.strings,t=new Ie(e)),t}k(t){Ce(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(y()),this.O(y()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=_e(e).nextSibling;_e(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},ze=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=T,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=T}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=D(this,e,t,0),a=!b(e)||e!==this._$AH&&e!==w,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=D(this,r[n+o],t,o),s===w&&(s=this._$AH[o]),a||=!b(s)||s!==this._$AH[o],s===T?e=T:e!==T&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===T?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Be=class extends ze{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===T?void 0:e}},Ve=class extends ze{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==T)}},He=class extends ze{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=D(this,e,t,0)??T)===w)return;let n=this._$AH,r=e===T&&n!==T||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==T&&(n===T||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Ue=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){D(this,e)}},We={M:be,P:_,A:xe,C:1,L:Fe,R:Le,D:we,V:D,I:Re,H:ze,N:Ve,U:He,B:Be,F:Ue},Ge=ge.litHtmlPolyfillSupport;Ge?.(Ie,Re),(ge.litHtmlVersions??=[]).push(`3.3.3`);var Ke=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new Re(t.insertBefore(y(),e),e,void 0,n??{})}return i._$AI(e),i},qe=globalThis,O=class extends g{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Ke(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return w}};O._$litElement$=!0,O.finalized=!0,qe.litElementHydrateSupport?.({LitElement:O});var Je=qe.litElementPolyfillSupport;Je?.({LitElement:O}),(qe.litElementVersions??=[]).push(`4.2.2`);var Ye={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Xe=e=>(...t)=>({_$litDirective$:e,values:t}),Ze=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:Qe}=We,$e=e=>e,et=()=>document.createComment(``),tt=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new Qe(r.insertBefore(et(),i),r.insertBefore(et(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=$e(e).nextSibling;$e(r).insertBefore(e,i),e=t}}}return n},k=(e,t,n=e)=>(e._$AI(t,n),e),nt={},rt=(e,t=nt)=>e._$AH=t,it=e=>e._$AH,at=e=>{e._$AR(),e._$AA.remove()},ot=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},A=Xe(class extends Ze{constructor(e){if(super(e),e.type!==Ye.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=it(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=k(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=k(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=k(i[d],a[m]),tt(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=k(i[f],a[p]),tt(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=ot(o,p,m),u=ot(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=tt(e,i[d]);k(t,a[p]),c[p]=t}else c[p]=k(n,a[p]),tt(e,i[d],n),i[t]=null;p++}else at(i[f]),f--}else at(i[d]),d++;for(;p<=m;){let t=tt(e,c[m+1]);k(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&at(e)}return this.ut=o,rt(e,c),w}}),st=new Intl.NumberFormat(`en-US`),ct=new Intl.DateTimeFormat(`en-GB`,{hour:`2-digit`,minute:`2-digit`}),lt=new Intl.DateTimeFormat(`en-GB`,{day:`numeric`,month:`short`,year:`numeric`}),ut=new Intl.DateTimeFormat(`en-GB`,{dateStyle:`full`,timeStyle:`long`});function j(e){return st.format(e)}function M(e,t){return`${j(e)} ${t}${e===1?``:`s`}`}function dt(e){let t=[],n=e.tests;if(n){let e=n.passed+n.failed+n.skipped,r=n.skipped?`, ${j(n.skipped)} ${n.skipped===1?`was`:`were`} skipped`:``;t.push(n.failed?`${j(n.failed)} of ${M(e,`test`)} failed${r}.`:`${M(n.passed,`test`)} passed${r}.`)}let{error:r=0,warning:i=0}=e.annotations??{},a=[r&&M(r,`error`),i&&M(i,`warning`)].filter(Boolean).join(`, `);return a&&t.push(`${a}.`),t.join(` `)}var ft={passed:`✓`,failed:`✗`,running:`●`,queued:`○`,canceled:`⊘`,skipped:`–`,lost:`!`};function pt(e){let t=e.branch?`${e.branch} `:``;return`${ft[e.status]??``} ${t}#${e.number} ${e.status} — ${e.project}`}function N(e){let t=Math.max(0,e);if(t<1e3)return`${Math.round(t)} ms`;if(t<6e4)return`${(Math.floor(t/100)/10).toFixed(1)} s`;let n=Math.floor(t/1e3),r=Math.floor(n/60);if(r<60)return`${r} m ${I(n%60)} s`;let i=Math.floor(r/60);return i<24?`${i} h ${I(r%60)} m`:`${Math.floor(i/24)} d ${i%24} h`}function P(e){let t=Math.max(0,Math.floor(e/1e3));return t<60?`${t} s`:N(t*1e3)}function mt(e){if(e<9.5)return`${Math.max(1,Math.round(e))} s`;if(e<57.5)return`${Math.round(e/5)*5} s`;let t=Math.round(e/60);if(t<60)return`${t} min`;let n=Math.round(t/10)*10,r=n%60;return`${Math.floor(n/60)} h${r===0?``:` ${r} min`}`}function ht(e,t){let n=Math.floor((t-e)/1e3);return n<5?`just now`:n<60?`${n} s ago`:n<3600?`${Math.floor(n/60)} min ago`:n<86400?`${Math.floor(n/3600)} h ago`:n<604800?`${Math.floor(n/86400)} d ago`:lt.format(e)}function gt(e){return ct.format(e)}function _t(e){let t=new Date(e);return`${[t.getHours(),t.getMinutes(),t.getSeconds()].map(I).join(`:`)}.${String(t.getMilliseconds()).padStart(3,`0`)}`}function vt(e){let t=Math.abs(e),n=Math.floor(t/1e3),r=Math.floor(n/60),i=Math.floor(r/60),a=i>0?`${i}:${I(r%60)}`:String(r),o=`${I(n%60)}.${String(Math.floor(t%1e3)).padStart(3,`0`)}`;return`${e<0?`-`:``}${a}:${o}`}function yt(e){return ut.format(e)}function F(e){let t=e?Date.parse(e):NaN;return Number.isNaN(t)?void 0:t}function I(e){return String(e).padStart(2,`0`)}var bt=1e3,xt=2e4,St=1e3,L=class{notes=[];state=`idle`;#e;#t;#n=``;#r=0;#i=0;#a=``;#o=0;#s;#c;#l;#u=0;constructor(e,t){this.#e=e,this.#t=t,e.addController(this)}hostConnected(){this.#d()}hostDisconnected(){this.#c?.abort(),this.#c=void 0,clearTimeout(this.#l),this.#l=void 0,this.#i=-1,this.state===`loading`&&(this.state=`idle`)}get more(){return this.#s!==void 0&&this.notes.length<2e4}get full(){return this.#s!==void 0&&this.notes.length>=2e4}want(e,t){e!==this.#n&&(this.#m(),this.#n=e),this.#r=t,this.#d()}load(){this.state!==`loading`&&(this.#s!==void 0&&(this.#o=this.notes.length,this.#a=this.#s,this.#s=void 0),this.#f())}#d(){if(this.#r===this.#i||this.#l!==void 0||this.state===`loading`||this.#s!==void 0)return;let e=this.#u+St-Date.now();e<=0?this.#f():this.#l=setTimeout(()=>{this.#l=void 0,this.#d()},e)}async#f(){let e=new AbortController;if(this.#c=e,this.#i=this.#r,this.#u=Date.now(),this.#r!==0||this.#a!==``){this.state=`loading`,this.#e.requestUpdate();try{let t=await this.#p(e.signal);this.notes=[...this.notes.slice(0,this.#o),...t.notes],this.#s=t.next??void 0,this.state=`loaded`}catch{if(e.signal.aborted)return;this.state=`failed`}this.#e.requestUpdate(),this.#d()}}async#p(e){let t=new URLSearchParams(this.#t);t.set(`limit`,String(bt)),this.#a!==``&&t.set(`after`,this.#a);let n=await fetch(`/api/v1/builds/${encodeURIComponent(this.#n)}/notes?${t}`,{headers:{Accept:`application/json`},signal:AbortSignal.any([e,AbortSignal.timeout(15e3)])});if(n.status===400&&this.#a!==``)return this.#a=``,this.#o=0,this.#p(e);if(!n.ok)throw Error(`the list of notes: ${n.status}`);return await n.json()}#m(){this.#c?.abort(),clearTimeout(this.#l),this.#l=void 0,this.notes=[],this.state=`idle`,this.#i=0,this.#a=``,this.#o=0,this.#s=void 0}};function Ct({step:e,line:t}){return`#${encodeURIComponent(e)}${t===null?``:`:L${t}`}`}function wt(e,t){return e.reduce((e,{tests:n})=>e+(n?.[t]??0),0)}function Tt(e,t){return e.reduce((e,{annotations:n})=>e+(n?.[t]??0),0)}function Et(e,t,n=1e3){let r=e.trimEnd().split(`
`),i=r.slice(0,t).join(`
`);return i.length>n?[i.slice(0,n),!0]:[i,r.length>t]}var Dt=h`
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

	h2 {
		margin: 1rem 0 0.25rem;
		font-size: 0.9375rem;
	}

	h3 {
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
	h3 a {
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
		h3 a {
			min-height: 2.75rem;
		}

		.head a,
		h3 a {
			padding-block: 0.625rem;
		}
	}
`;function Ot(e,t,n,r){return e.state===`failed`?C`<p role="alert">
			The list could not be loaded. <button @click=${()=>e.load()}>Try again</button>
		</p>`:e.state===`loading`&&e.notes.length===0?C`<p class="muted">Loading…</p>`:t<n||e.more?C`<p>
			<button
				?disabled=${e.state===`loading`}
				@click=${()=>{r(),t+100>n&&e.more&&e.load()}}
			>
				${e.state===`loading`?`Loading…`:`Show more`}
			</button>
		</p>`:e.full?C`<p class="muted">
			The first ${j(xt)} are here; the API has all of them.
		</p>`:T}var R=h`
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

	::placeholder {
		color: var(--muted);
		opacity: 1;
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
`,kt=4,At=class extends O{static properties={text:{},open:{state:!0}};constructor(){super(),this.text=``,this.open=!1}static styles=[R,h`
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
		`];render(){let[e,t]=Et(this.text,kt);return e===``?T:C`
			<pre
				tabindex=${this.open?`0`:T}
				role=${this.open?`region`:T}
				aria-label=${this.open?`Message`:T}
			>${this.open?this.text:e}</pre>
			${t?C`<button
							aria-expanded=${this.open}
							@click=${()=>{this.open=!this.open}}
						>
							${this.open?`Less`:`Whole message`}
						</button>`:T}
		`}};customElements.define(`note-message`,At);var jt=[`failed`,`lost`,`canceled`,`running`,`queued`,`passed`,`skipped`];function Mt(e){let t=new Pt(``);for(let n of e){let e=t;for(let t of n.key.split(`/`))e=e.below(t);e.step=n}let n=new Map;for(let e of t.all())e.step&&n.set(e.label,(n.get(e.label)??0)+1);return t.rows(n)}function Nt(e){let t=e=>e.flatMap(({step:e,rows:n})=>[...e?[e.key]:[],...t(n)]);return t(Mt(e))}var Pt=class e{path;step;#e=new Map;constructor(e){this.path=e}below(t){let n=this.#e.get(t);if(n)return n;let r=new e(this.path===``?t:`${this.path}/${t}`);return this.#e.set(t,r),r}get segment(){return this.path.slice(this.path.lastIndexOf(`/`)+1)}get label(){return this.step?.name||this.segment}*all(){yield this;for(let e of this.#e.values())yield*e.all()}rows(e){return[...this.#e.values()].map(t=>t.#t(e,``))}#t(e,t){let[n,r]=this.#e.values();if(n&&!r&&!this.step)return n.#t(e,`${t}${this.segment}/`);let i=this.rows(e),a=this.step,o=t+this.segment,s=a?.name||o,c=a&&(s===a.key||(e.get(this.label)??0)<2&&s===o);return{path:this.path,label:s,key:c?void 0:a?.key,step:a,rows:i,sum:It([...a?[Ft(a)]:[],...i.map(e=>e.sum)])}}};function Ft(e){let t=e.started_at??void 0;return{steps:1,status:e.status,started:t,finished:e.finished_at??void 0,errors:e.annotations?.error??0,failures:e.tests?.failed??0}}function It(e){let t=e.some(({status:e})=>e===`running`||e===`queued`),n=t=>e.reduce((e,n)=>e+t(n),0);return{steps:n(e=>e.steps),status:jt.find(t=>e.some(e=>e.status===t))??`queued`,started:Lt(e,e=>e.started,-1),finished:t?void 0:Lt(e,e=>e.finished,1),errors:n(e=>e.errors),failures:n(e=>e.failures)}}function Lt(e,t,n){return e.map(t).filter(e=>e!==void 0).reduce((e,t)=>e===void 0||n*(Date.parse(t)-Date.parse(e))>0?t:e,void 0)}function z(e,t=96){let n=[...e];if(n.length<=t)return e;let r=Math.floor((t-1)/2);return`${n.slice(0,t-1-r).join(``)}…${n.slice(-r).join(``)}`}function Rt({name:e,key:t}){return!e||e===t?C`<bdi title=${t}>${z(t)}</bdi>`:C`<bdi title=${e}>${z(e)}</bdi> <bdi class="key" title=${t}>${z(t)}</bdi>`}var zt=h`
	.key {
		color: var(--muted);
		font: 0.75rem var(--mono);
	}
`,Bt=[`error`,`warning`,`notice`],Vt={error:`✗`,warning:`!`,notice:`i`},Ht=class extends O{static properties={build:{},steps:{attribute:!1},wanted:{state:!0},rows:{state:!0}};#e={error:new L(this,`kind=annotation&level=error`),warning:new L(this,`kind=annotation&level=warning`),notice:new L(this,`kind=annotation&level=notice`)};constructor(){super(),this.build=``,this.steps=[],this.wanted=new Set([`error`,`warning`]),this.rows={error:100,warning:100,notice:100}}static styles=[R,Dt,zt,h`
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
		`];willUpdate(e){for(let e of Bt)this.wanted.has(e)&&this.#e[e].want(this.build,Tt(this.steps,e))}render(){return Bt.reduce((e,t)=>e+Tt(this.steps,t),0)===0?C`<p class="muted">No errors, warnings or notices were found in this build.</p>`:C`
			<div class="bar" role="group" aria-label="What to show">
				${Bt.map(e=>this.#t(e))}
			</div>
			${Bt.filter(e=>this.wanted.has(e)).map(e=>this.#n(e))}
			${this.wanted.size===0?C`<p class="muted">Choose above what to show.</p>`:T}
		`}#t(e){return C`<button
			aria-pressed=${this.wanted.has(e)}
			@click=${()=>{let t=new Set(this.wanted);t.delete(e)||t.add(e),this.wanted=t}}
		>
			<span class=${e} aria-hidden="true">${Vt[e]}</span>
			${M(Tt(this.steps,e),e)}
		</button>`}#n(e){let t=Tt(this.steps,e);if(t===0)return T;let n=this.#e[e],r=n.notes.slice(0,this.rows[e]),i=this.steps.filter(({key:e})=>r.some(({step:t})=>t===e));return C`
			<section aria-label=${Ut[e]}>
				<h2>${Ut[e]} <span class="muted">${j(t)}</span></h2>
				${A(i,({key:e})=>e,e=>C`
						<h3><a href="#${encodeURIComponent(e.key)}">${Rt(e)}</a></h3>
						<ul role="list">
							${A(r.filter(t=>t.step===e.key),({number:e})=>e,e=>C`<li>${this.#r(e)}</li>`)}
						</ul>
					`)}
				${Ot(n,r.length,n.notes.length,()=>{this.rows={...this.rows,[e]:this.rows[e]+100}})}
			</section>
		`}#r(e){let{level:t,title:n,message:r,file:i,file_line:a,file_column:o}=e.annotation,[s=``,...c]=r.split(`
`),l=s.length<=300&&(!n||c.length===0),u=l?c.join(`
`):r,d=[i,a,a&&o].filter(Boolean).join(`:`);return C`
			<div class="head">
				<span class="sign ${t}" aria-hidden="true">${Vt[t]}</span>
				<span class="name">
					<span class="unseen">${t}:</span>
					${n?C`<bdi><strong>${n}</strong></bdi>`:T}
					${l?C`<bdi>${s}</bdi>`:T}
				</span>
				${d===``?T:C`<bdi class="where">${d}</bdi>`}
				${e.line===null?T:C`<a href=${Ct(e)}><span class="unseen">${e.step}, </span>line ${j(e.line)}</a>`}
			</div>
			${u.trim()===``?T:C`<note-message .text=${u}></note-message>`}
		`}},Ut={error:`Errors`,warning:`Warnings`,notice:`Notices`};customElements.define(`annotation-list`,Ht);var Wt=new Set,Gt,B=class{#e;#t=!1;#n=!0;constructor(e){this.#e=e,e.addController(this)}set wanted(e){this.#n=e,this.#r()}hostConnected(){this.#t=!0,this.#r()}hostDisconnected(){this.#t=!1,this.#r()}#r(){this.#t&&this.#n?Wt.add(this.#e):Wt.delete(this.#e),Wt.size>0?Gt??=setInterval(()=>{for(let e of Wt)e.requestUpdate()},1e3):(clearInterval(Gt),Gt=void 0)}},Kt=class extends O{static properties={started:{},finished:{},asof:{type:Number}};#e=new B(this);constructor(){super(),this.asof=0}willUpdate(e){this.#e.wanted=!!this.started&&!this.finished&&this.asof===0}render(){let e=F(this.started);if(e===void 0)return C``;let t=F(this.finished);return C`${t===void 0?P((this.asof||Date.now())-e):N(t-e)}`}};customElements.define(`run-time`,Kt);var qt={passed:{line:`M3 8.5 6.5 12 13 4.5`,solid:``},failed:{line:`M4 4l8 8M12 4l-8 8`,solid:``},running:{line:``,solid:Jt(5)},queued:{line:Jt(5),solid:``},canceled:{line:`${Jt(5.5)}M4.2 4.2l7.6 7.6`,solid:``},skipped:{line:`M3 8h10`,solid:``},lost:{line:`M8 2.5v7`,solid:`M8 12.4a.6.6 0 1 0 0 1.2a.6.6 0 1 0 0-1.2z`}};function Jt(e){return`M8 ${8-e}a${e} ${e} 0 1 0 0 ${2*e}a${e} ${e} 0 1 0 0-${2*e}z`}var Yt=class extends O{static properties={status:{reflect:!0},brief:{type:Boolean,reflect:!0},label:{}};constructor(){super(),this.status=`queued`,this.brief=!1,this.label=``}static styles=[R,h`
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
		`];willUpdate(e){(e.has(`brief`)||e.has(`label`)||e.has(`status`))&&(this.brief?this.title=this.#e():this.removeAttribute(`title`))}#e(){return this.label?`${this.label}: ${this.status}`:this.status}render(){let{line:e,solid:t}=qt[this.status]??qt.queued;return C`
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<path d=${e} />
				<path class="solid" d=${t} />
			</svg>
			<span class=${this.brief?`unseen`:``}>${this.brief?this.#e():this.status}</span>
		`}};customElements.define(`status-mark`,Yt);var Xt=class extends O{static properties={steps:{attribute:!1},selected:{},asof:{type:Number},folded:{state:!0}};constructor(){super(),this.steps=[],this.selected=``,this.asof=0,this.folded=new Set}static styles=[R,h`
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
		`];willUpdate(e){if(!e.has(`selected`))return;let t=[...this.folded].filter(e=>!this.selected.startsWith(`${e}/`));t.length<this.folded.size&&(this.folded=new Set(t))}render(){return this.#e(Mt(this.steps))}updated(e){e.has(`selected`)&&this.renderRoot.querySelector(`[aria-current]`)?.scrollIntoView({block:`nearest`})}#e(e){return C`
			<ul role="list">
				${A(e,e=>e.path,e=>C`<li>${this.#t(e)}</li>`)}
			</ul>
		`}#t(e){let{path:t,step:n,rows:r}=e;if(n&&r.length===0)return this.#n(e,n);let i=!this.folded.has(t);return C`
			<div class="row">
				${n?C`
								<button
									class="fold"
									aria-expanded=${i}
									aria-label="Steps below ${e.label}"
									@click=${()=>this.#i(t,i)}
								>
									<span class="sign"></span>
								</button>
								${this.#n(e,n)}
							`:C`
								<button class="folder" aria-expanded=${i} @click=${()=>this.#i(t,i)}>
									<span class="sign" aria-hidden="true"></span>
									<status-mark brief .status=${e.sum.status}></status-mark>
									${this.#r(e)}
								</button>
							`}
			</div>
			${i?this.#e(r):T}
		`}#n(e,t){return C`
			<a
				href="#${encodeURIComponent(t.key)}"
				aria-current=${t.key===this.selected?`true`:T}
			>
				<status-mark brief .status=${t.status}></status-mark>
				${this.#r(e)}
			</a>
		`}#r({label:e,key:t,step:n,sum:r}){let{failures:i,errors:a}=n?{failures:n.tests?.failed??0,errors:n.annotations?.error??0}:r,o=[i>0&&M(i,`failed test`),a>0&&M(a,`error`)].filter(Boolean).join(`, `),s=n?.name?void 0:t?.slice(0,-e.length);return C`
			<span class="what">
				<bdi class="name" title=${t??e}>
					${s?C`<span class="before">${z(s)}</span>`:T}${z(e)}
				</bdi>
				${t===void 0||s?T:C`<bdi class="key" title=${t}>${z(t)}</bdi>`}
				${n?T:C`<span class="of">${M(r.steps,`step`)}</span>`}
				${o===``?T:C`<span class="found">${o}</span>`}
			</span>
			<run-time
				.started=${n?n.started_at:r.started}
				.finished=${n?n.finished_at:r.finished}
				.asof=${this.asof}
			></run-time>
		`}#i(e,t){let n=new Set(this.folded);t?n.add(e):n.delete(e),this.folded=n}};customElements.define(`step-tree`,Xt);var Zt=[`queued`,`running`,`passed`,`failed`,`canceled`,`skipped`,`lost`];function Qt(e){return Zt.includes(e)}var $t=[`build`,`step`,`log`,`note`,`snapshot`,`reset`,`live`,`ping`,`end`,`unavailable`];function V(e){return e!==`queued`&&e!==`running`}function H(e,t){return e!==`passed`&&e!==`failed`&&e!==`canceled`||e===t}function en(e,t){let n=t.split(`/`).map(encodeURIComponent).join(`/`);return`/api/v1/builds/${encodeURIComponent(e)}/steps/${n}`}var U=Xe(class extends Ze{render(e){return w}update(e,[t]){let{style:n}=e.element;for(let[e,r]of Object.entries(t))n.setProperty(e,String(r));return w}});function tn(e,t,n){let r=V(e.status),i=F(e.created_at),a=Math.max(...t.flatMap(e=>[F(e.started_at)??0,F(e.finished_at)??0]),F(e.finished_at)??0,i??0),o=r?a:Math.max(n,a),s=new Map;for(let e of t){let t=F(e.started_at);if(t===void 0)continue;let n=F(e.finished_at),r=n??o,i=n!==void 0||!V(e.status);s.set(e.key,{started:t,finished:Math.max(t,r),known:i})}let c=Math.min(i??o,...[...s.values()].map(e=>e.started)),l=Math.max(1,o-c),u=e=>Math.min(1,Math.max(0,(e-c)/l)),d=rn(t,s),f=new Set(d),p=new Map(t.map(e=>[e.key,e])),m=t.map(e=>{let t=s.get(e.key),n=nn(e,p,s,i??c),a=t?.started??(e.status===`queued`&&!r?o:void 0),l=n!==void 0&&a!==void 0;return{step:e,start:t&&t.started-c,queuedFor:l?Math.max(0,a-n):void 0,took:t?.known?t.finished-t.started:void 0,queue:l&&a>n?{from:u(n),to:u(a)}:void 0,run:t&&{from:u(t.started),to:u(t.finished)},critical:f.has(e)}}),h=e=>e.start??Number.MAX_VALUE;return{rows:m.sort((e,t)=>h(e)-h(t)),length:l,ticks:un(l),now:r?void 0:u(o),critical:d}}function nn(e,t,n,r){let i;for(let r of e.needs??[]){let a=t.get(r);if(!a)continue;if(!V(a.status)&&!e.started_at)return;let o=n.get(r)?.finished;o!==void 0&&(i=Math.max(i??o,o))}return i??r}function rn(e,t){let n=e.filter(({key:e})=>t.has(e)),r=e.some(e=>e.needs?.length),i=e=>e.reduce((e,t)=>e&&a(e)>=a(t)?e:t,void 0),a=({key:e})=>t.get(e)?.finished??0,o=[];for(let e=i(n);e&&!o.includes(e);){o.unshift(e);let{key:s,needs:c}=e,l=t.get(s)?.started??0;e=i(r?n.filter(e=>c?.includes(e.key)):n.filter(e=>e.key!==s&&a(e)<=l))}return o}var an=1e3,on=60*an,sn=60*on,cn=[1,2,5,10,20,50,100,200,500,...[1,2,5,10,15,30].map(e=>e*an),...[1,2,5,10,15,30].map(e=>e*on),...[1,2,3,6,12,24,48].map(e=>e*sn)],ln=6;function un(e){let t=Math.ceil(e/5/(24*sn))*24*sn,n=cn.find(t=>e/t<ln)??t;return Array.from({length:Math.floor(e/n)+1},(e,t)=>t*n)}function dn(e){if(e===0)return`0`;let t=[[24*sn,`d`],[sn,`h`],[on,`m`],[an,`s`],[1,`ms`]],n=[],r=e;for(let[e,i]of t)r>=e&&n.push(`${Math.floor(r/e)} ${i}`),r%=e;return n.join(` `)}var fn=class extends O{static properties={build:{attribute:!1},steps:{attribute:!1},selected:{},asof:{type:Number},looked:{state:!0}};#e=new B(this);#t=new ResizeObserver(()=>this.#o());constructor(){super(),this.steps=[],this.selected=``,this.asof=0,this.looked=``}static styles=[R,zt,h`
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
				/* As wide as the outline of a bar at the end of the axis. */
				padding-inline: 3px;
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
				background-origin: content-box;
				background-size: calc(var(--tick) * 100%) 100%;
			}

			/* Now. */
			.lane::after {
				content: "";
				position: absolute;
				inset: 0 auto 0 calc(var(--now) * (100% - 6px) + 2px);
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
				td:not(.lane):not(.axis) {
					width: auto;
					padding: 0;
					border: 0;
				}

				td {
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
		`];connectedCallback(){super.connectedCallback(),this.#t.observe(this)}disconnectedCallback(){super.disconnectedCallback(),this.#t.disconnect()}willUpdate(e){this.#e.wanted=!(!this.build||V(this.build.status))&&this.asof===0}render(){if(!this.build)return T;if(this.steps.length===0)return C`<p class="muted">This build has no steps yet.</p>`;let e=tn(this.build,this.steps,this.asof||Date.now()),[,t=e.length*2]=e.ticks,n=this.steps.find(({key:e})=>e===this.looked)?.needs??[];return C`
			${this.#n(e)}
			<p class="legend" aria-hidden="true">
				<span><i class="queue"></i> queued</span>
				<span><i class="run"></i> ran</span>
				<span><i class="run critical"></i> on the critical path</span>
				${e.now===void 0?T:C`<span>┆ now</span>`}
			</p>
			<div class="chart">
				<table
					role="table"
					class=${e.now===void 0?`still`:``}
					@pointerover=${this.#s}
					@pointerleave=${this.#c}
					@focusin=${this.#s}
					@focusout=${this.#c}
					${U({"--tick":t/e.length,"--now":e.now??0})}
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
						${A(e.rows,({step:e})=>e.key,e=>this.#i(e,n.includes(e.step.key)))}
					</tbody>
				</table>
				<svg aria-hidden="true"></svg>
			</div>
		`}updated(e){this.#o()}#n({critical:e,length:t}){if(e.length<2)return T;let n=e.map(({name:e,key:t})=>e||t);return C`<p class="path">
			Critical path: ${(n.length>6?[...n.slice(0,3),`…`,...n.slice(-2)]:n).map((e,t)=>C`${t>0?` → `:``}<bdi>${z(e,48)}</bdi>`)},
			in a build of ${N(t)}.
		</p>`}#r({ticks:e,length:t}){return e.map(e=>C`<span class=${e/t>.9?`end`:``} ${U({"--at":e/t})}>${dn(e)}</span>`)}#i(e,t){let{step:n,start:r,queuedFor:i,took:a}=e,o=n.key===this.selected;return C`
			<tr
				role="row"
				data-key=${n.key}
				class="${n.status} ${o?`chosen`:``} ${t?`needed`:``}"
			>
				<th role="rowheader" scope="row">
					<a href="#${encodeURIComponent(n.key)}" aria-current=${o?`true`:T}>
						<status-mark brief .status=${n.status}></status-mark>
						${Rt(n)}
					</a>
					<span class="unseen">
						${e.critical?`On the critical path.`:``}
						${n.needs?.length?`Needs ${n.needs.join(`, `)}.`:``}
					</span>
				</th>
				<td role="cell" class="number" data-of="at">${r===void 0?``:P(r)}</td>
				<td role="cell" class="number" data-of="queued">${i?mn(i,r===void 0):``}</td>
				<td role="cell" class="number" data-of="took">${a===void 0?``:mn(a,n.status===`running`)}</td>
				<td class="lane" aria-hidden="true">
					<div>
						${e.queue?C`<span class="queue" ${pn(e.queue)}></span>`:T}
						${e.run?C`<span class="run ${e.critical?`critical`:``}" ${pn(e.run)}></span>`:T}
						${this.#a(e)}
					</div>
				</td>
			</tr>
		`}#a({step:e,run:t,queue:n,took:r,queuedFor:i}){let a=t??n,o=t?r:i;if(!a||o===void 0)return T;let s=(t&&n?n:a).from,c=a.to<.82?`after`:s>.18?`before`:`inside`,l=mn(o,!t||e.status===`running`);return!t&&c===`inside`?T:C`<span class="label ${c}" ${pn({from:s,to:a.to})}>${l}</span>`}#o(){let e=this.renderRoot.querySelector(`svg`);if(!e)return;let t=this.steps.find(({key:e})=>e===this.looked)?.needs??[],n=new Map,r=new Set([this.looked,...t]);for(let e of this.renderRoot.querySelectorAll(`tr[data-key]`)){let t=e.querySelectorAll(`.run, .queue`),i=e.dataset.key??``,a=i===this.looked?t[0]:t[t.length-1];r.has(i)&&a&&n.set(i,a.getBoundingClientRect())}let i=e.getBoundingClientRect(),a=n.get(this.looked);e.replaceChildren();for(let r of a?t:[]){let t=n.get(r);t&&a&&e.append(...gn(t,a,i))}}#s(e){let t=e.target instanceof Element?e.target.closest(`tr`):null;this.looked=t?.dataset.key??``}#c(){let e=this.shadowRoot?.activeElement?.closest(`tr`);this.looked=e?.dataset.key??``}},pn=({from:e,to:t})=>U({"--from":e,"--to":t});function mn(e,t){return t?P(e):N(e)}var hn=`http://www.w3.org/2000/svg`;function gn(e,t,n){let[r,i]=[e.right-n.left,e.top+e.height/2-n.top],[a,o]=[t.left-n.left,t.top+t.height/2-n.top],s=Math.min(r+6,a-8),c=document.createElementNS(hn,`path`);c.setAttribute(`d`,`M${r} ${i}H${Math.max(r,s)}V${(i+o)/2}H${s}V${o}H${a-5}`);let l=document.createElementNS(hn,`path`);return l.setAttribute(`class`,`head`),l.setAttribute(`d`,`M${a} ${o}l-6 -4v8z`),[c,l]}customElements.define(`step-waterfall`,fn);var _n=1e3,W=new Set,vn=new Set,yn=``,bn,xn=class{group;keys;constructor(e,t,n){this.group=t,this.keys=n,e.addController(this)}hostConnected(){W.size===0&&addEventListener(`keydown`,wn),W.add(this)}hostDisconnected(){W.delete(this),W.size===0&&removeEventListener(`keydown`,wn)}};function Sn(){let e=new Map;for(let{group:t,keys:n}of W)e.set(t,[...e.get(t)??[],...n]);return e}function Cn(e){vn.add(e),e.showModal()}function wn(e){if(e.defaultPrevented||e.isComposing||Tn())return;let t=En(e),n=e.composedPath()[0];if(t===``||!t.startsWith(`Mod+`)&&!Dn(t,n))return;let r=On(`${yn} ${t}`)??On(t);clearTimeout(bn),yn=``,r?(e.preventDefault(),r.run(e)):On(`${t} `,!0)&&(yn=t,bn=setTimeout(()=>{yn=``},_n))}function Tn(){for(let e of vn)e.open&&e.isConnected||vn.delete(e);return vn.size>0}function En(e){let{key:t,ctrlKey:n,metaKey:r,altKey:i}=e;return(e.getModifierState(`AltGraph`)||i&&/^[^\p{L}\p{N}\s]$/u.test(t))&&!r?t:i?``:n||r?`Mod+${t.toLowerCase()}`:t}function Dn(e,t){return o.get(`keys`)?t instanceof HTMLElement?t.isContentEditable||t.matches(`textarea, select`)||t instanceof HTMLInputElement&&!t.matches(`[type=checkbox], [type=button]`)?!1:![`Enter`,` `].includes(e)||!t.matches(`a, button, summary, input, [role=button]`):!0:!1}function On(e,t=!1){for(let{keys:n}of[...W].reverse()){let r=n.find(n=>n.keys.some(n=>t?n.startsWith(e):n===e));if(r)return r}}function kn(e){if(e===`/`)return{page:`builds`};if(/^\/wall\/?$/.test(e))return{page:`wall`};let t=/^\/builds\/([^/]+)\/?$/.exec(e)?.[1];if(t===void 0)return{page:`none`};try{return{page:`build`,id:decodeURIComponent(t)}}catch{return{page:`none`}}}function An(e,t){return`/builds/${encodeURIComponent(e)}${t===void 0?``:`#${encodeURIComponent(t)}`}`}var jn={build:void 0,steps:[],places:new Map,ended:!1};function Mn(e,t){switch(t.kind){case`whole`:return Nn(e,t.data);case`build`:{if(e.build&&!H(e.build.status,t.data.status))return e;let n=t.data.expected_s??e.build?.expected_s??null;return{...e,build:{...t.data,expected_s:n}}}case`step`:return Pn(e,t.data);case`log`:return e.places.has(t.data.step)?e:Pn(e,{key:t.data.step,status:`running`});case`end`:return e.ended?e:{...e,ended:!0};case`reset`:return jn;default:return e}}function Nn(e,{steps:t,...n}){let r=e.build,i=r!==void 0&&!H(r.status,n.status),a={...e,ended:!1,build:i?r:n};return(t??[]).reduce(Pn,a)}function Pn(e,t){let n=e.places.get(t.key);if(n===void 0)return{...e,steps:[...e.steps,t],places:new Map(e.places).set(t.key,e.steps.length)};let r=e.steps[n];return r&&!H(r.status,t.status)?e:{...e,steps:e.steps.with(n,t)}}var Fn={passed:`#116329`,failed:`#b3212b`,running:`#7d4e00`,queued:`#4a525c`,canceled:`#5b3fa8`,skipped:`#4a525c`,lost:`#8a3b00`},In;function Ln({status:e,title:t}){document.title!==t&&(document.title=t);let n=document.querySelector(`link[rel=icon]`);if(!n)return;In??=n.href;let r=e===void 0?In:Rn(e);n.href!==r&&(n.href=r)}function Rn(e){let{line:t,solid:n}=qt[e]??qt.queued,r=`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 20 20" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"><rect x="-2" y="-2" width="20" height="20" rx="4.5" fill="${Fn[e]??Fn.queued}" stroke="none"/><path d="${t}"/><path fill="#fff" d="${n}"/></svg>`;return`data:image/svg+xml,${encodeURIComponent(r)}`}var zn=100,Bn=2e3;function Vn(e){return`/api/v1/streams?${e.map(({log:e,after:t,steps:n})=>{let r=[[`log`,e]];t!==``&&r.push([`after`,t]),e!==`feed`&&n.length===0&&r.push([`logs`,`none`]);let i=r.map(([e,t=``])=>`${e}=${encodeURIComponent(t)}`),a=n.map(e=>`step=${encodeURIComponent(e)}`);return a.length<=zn&&a.join().length<=Bn&&i.push(...a),i.join(`;`)}).join(`&`)}`}function Hn(e,t){let n=e.split(`.`);return n.length===t?n.map(e=>e===`?`?``:e):[]}var Un=6e4,Wn=2e4,Gn=2e3,Kn=3e4;function qn(e,t=Math.random()){return 100+t*Math.min(Kn,1e3*2**e)}var Jn=class{#e;#t={name:`connecting`};#n;#r=[];#i=0;#a=0;#o=!1;#s=0;#c=!1;#l;#u;constructor(e){this.#e=e}get state(){return this.#t}get news(){return this.#a}get pausing(){return this.#c}open(e){this.#m(),this.#c=!1,this.#r=e.map(({log:e})=>e),this.#i=Date.now(),this.#t.name!==`live`&&(this.#a=this.#i),this.#t.name===`reconnecting`&&this.#h({name:`reconnecting`,at:void 0});let t=new EventSource(Vn(e));this.#n=t;for(let e of $t)t.addEventListener(e,n=>{t===this.#n&&this.#d(e,n)});t.addEventListener(`error`,()=>{t===this.#n&&this.#f(t)}),this.#l??=setTimeout(this.#p,Un)}close(){this.#m(),clearTimeout(this.#l),this.#l=void 0}later(){this.#m(),this.#c=!0;let e=qn(this.#s++);this.#h({name:`reconnecting`,at:Date.now()+e}),this.#u=setTimeout(()=>this.#e.due(),e)}hurry(e){let t=Date.now(),n=t-this.#i<Gn;this.#n&&(n||!e&&t-this.#a<Wn)||(this.#t.name===`live`&&!e&&this.#h({name:`reconnecting`,at:void 0}),this.#e.due())}#d(e,t){if(this.#a=Date.now(),this.#o=!0,e===`unavailable`){this.#h({name:`reconnecting`,at:void 0});return}this.#s=0;let n=JSON.parse(t.data),r={kind:e,id:t.lastEventId,data:n};n.log!==void 0&&this.#e.heard(n.log,r,t.data.length);for(let[e,n]of Hn(t.lastEventId,this.#r.length).entries()){let t=this.#r[e];t!==void 0&&n!==``&&this.#e.moved(t,n)}this.#t.name===`live`?e===`ping`&&this.#e.changed(!1):this.#h({name:`live`})}#f(e){let t=e.readyState===EventSource.CONNECTING&&this.#o;this.#o=!1,t?this.#h({name:`reconnecting`,at:void 0}):e.readyState===EventSource.CONNECTING?this.later():(this.#m(),this.#c=!0,this.#h({name:`reconnecting`,at:void 0}),this.#e.closed())}#p=()=>{let e=Date.now()-Math.max(this.#a,this.#i),t=e>=Un;this.#l=setTimeout(this.#p,t?Un:Un-e),t&&this.#n&&this.later()};#m(){this.#n?.close(),this.#n=void 0,this.#o=!1,clearTimeout(this.#u),this.#u=void 0}#h(e){let t=this.#t.name===`reconnecting`&&e.name===`live`;this.#t=e,this.#e.changed(t)}},Yn=class{#e;#t=`waiting`;#n=new Map;#r=[];#i=0;#a=[];#o=0;#s=0;#c=!1;constructor(e){this.#e=e}get wanted(){return this.#e}get phase(){return this.#t}get told(){return this.#c}want(e){e.step!==this.#e.step&&(this.#e=e,(this.#t===`joined`||this.#t===`asked`)&&(this.#t=`waiting`))}asked(){this.#t===`waiting`&&(this.#t=`asked`)}again(){(this.#t===`asked`||this.#t===`joined`)&&(this.#t=`waiting`)}join(e,t){if(this.#t!==`asked`)return;this.#t=`joined`,this.#c=!0;let n=[...this.#n.values()];this.#n.clear(),this.#u(e,0,t);for(let{event:e,size:r}of n)this.#u(e,r,t)}hear(e,t,n){if(e.kind===`reset`){if(this.#t===`behind`||this.#t===`over`)return;this.#n.clear(),this.again(),this.#c&&this.#u(e,t,n)}else if(this.#t===`waiting`||this.#t===`asked`)(e.kind===`build`||e.kind===`step`)&&this.#l(e,t);else if(this.#t===`joined`){if((e.kind===`log`||e.kind===`note`)&&e.data.step!==this.#e.step)return;this.#u(e,t,n),e.kind===`end`&&this.close()}}close(){this.#t=`over`,this.#n.clear()}batch(e){if(this.#d(e)&&this.#f(),this.#t===`behind`)return;let t={number:++this.#s,events:this.#r};return this.#a.push({number:t.number,size:this.#i,at:e}),this.#r=[],this.#i=0,t}took(e){for(;this.#a[0]&&this.#a[0].number<=e;)this.#o-=this.#a.shift()?.size??0;this.#t===`behind`&&this.#a.length===0&&(this.#t=`waiting`)}#l(e,t){let n=e.kind===`build`?e.data.build_id??``:`${e.data.build_id??``} ${e.data.key}`;this.#n.delete(n),this.#n.set(n,{event:e,size:t})}#u(e,t,n){(this.#a.length>0&&this.#o>4194304||this.#d(n))&&this.#f(),this.#t!==`behind`&&(this.#r.push(e),this.#i+=t,this.#o+=t)}#d(e){let t=this.#a[0];return t!==void 0&&this.#t!==`over`&&e-t.at>15e3}#f(){this.#t=`behind`,this.#n.clear(),this.#r=[],this.#o-=this.#i,this.#i=0}},Xn=5e3,Zn=10,Qn=1e4,$n=class{#e=new Map;#t=new Set;#n=new Map;#r=new Set;#i=!1;#a;attach(e){let t={port:e,subscriber:void 0,log:void 0,refused:void 0};e.addEventListener(`message`,e=>{this.#o(t,e.data)}),e.start()}close(){for(let e of this.#t)e.close();for(let e of this.#n.values())clearTimeout(e);for(let e of this.#e.values())this.#f(e);this.#t.clear(),this.#n.clear()}#o(e,t){switch(t.say){case`want`:this.#s(e,t.wanted);return;case`took`:e.subscriber?.took(t.number),e.subscriber?.phase===`waiting`&&!e.log&&this.#c(e,e.subscriber);return;case`here`:this.#O(e);return;case`hurry`:e.log&&this.#T(e.log,t.doubt);return;case`bye`:this.#l(e),e.port.close()}}#s(e,t){e.subscriber?(e.subscriber.want(t),e.log&&this.#p(e.log)):(e.subscriber=new Yn(t),this.#c(e,e.subscriber),this.#O(e))}#c(e,t){let n=t.wanted.log.toLowerCase(),r=this.#e.get(n)??this.#d(n);r.pages.add(e),clearTimeout(r.idle),e.log=r,this.#p(r)}#l(e){let t=e.log;e.log=void 0,this.#r.delete(e),t?.pages.delete(e),t?.pages.size===0&&(t.idle=setTimeout(()=>this.#u(t),Xn))}#u(e){let t=e.stream;t&&!t.pausing?this.#b(t):this.#f(e)}#d(e){let t={name:e,pages:new Set,cursor:void 0,stream:void 0,steps:void 0,live:!1,over:!1,finished:void 0,asking:!1,failures:0,at:void 0,retry:void 0,idle:void 0};return this.#e.set(e,t),t}#f(e){clearTimeout(e.retry),clearTimeout(e.idle),e.stream=void 0,this.#e.get(e.name)===e&&this.#e.delete(e.name)}#p(e){if(e.asking||e.at!==void 0)return;let t=[...e.pages].filter(e=>e.subscriber?.phase===`waiting`),n=t.filter(t=>er(e,t));n.length<t.length&&e.stream&&this.#y(e.stream),n.length>0&&this.#m(e,n)}async#m(e,t){e.asking=!0;for(let e of t)e.subscriber?.asked();let n=await ar(e.name);if(e.asking=!1,this.#e.get(e.name)!==e)return;if(n===`passing`){for(let t of e.pages)t.subscriber?.phase===`asked`&&t.subscriber.again();let t=qn(e.failures++);e.at=Date.now()+t,e.retry=setTimeout(()=>this.#h(e),t),this.#D(e);return}if(`refused`in n){this.#C(e,n.refused);return}e.failures=0,e.finished=n.finished;let r=e.cursor===void 0&&!e.over;r&&(e.cursor=n.cursor);let i=Date.now();for(let{subscriber:t}of e.pages)t?.phase===`asked`&&(t.join(n.state,i),e.live&&t.hear(ir(`live`,n.cursor),0,i),e.over&&t.hear(ir(`end`,n.cursor),0,i));this.#D(e),r&&(n.final&&await or(e)===`over`?this.#S(e):this.#e.get(e.name)===e&&this.#g(e)),this.#p(e)}#h(e){clearTimeout(e.retry),e.at=void 0,this.#D(e),this.#p(e)}#g(e){e.stream??=[...this.#t].find(e=>this.#_(e).length<32),e.stream??=this.#v(),this.#y(e.stream)}#_(e){return[...this.#e.values()].filter(t=>t.stream===e)}#v(){let e=new Jn({heard:(t,n,r)=>{let i=this.#e.get(t);i?.stream===e&&i.steps&&this.#x(i,n,r)},moved:(t,n)=>{let r=this.#e.get(t);r?.stream===e&&r.steps&&(r.cursor=n)},changed:t=>{for(let t of this.#_(e))this.#D(t);t&&this.#E()},closed:()=>void this.#w(e),due:()=>this.#b(e)});return this.#t.add(e),e}#y(e){e.pausing||this.#n.has(e)||this.#n.set(e,setTimeout(()=>this.#b(e),Zn))}#b(e){clearTimeout(this.#n.get(e)),this.#n.delete(e);for(let t of this.#_(e))t.steps=void 0,t.pages.size===0&&this.#f(t);let t=this.#_(e).filter(e=>e.cursor!==void 0);if(t.length===0)e.close(),this.#_(e).length===0&&this.#t.delete(e);else{for(let e of t)e.steps=tr(e);e.open(t.map(e=>({log:e.name,after:e.cursor??``,steps:[...e.steps??[]]})));for(let e of t)this.#p(e)}}#x(e,t,n){switch(t.kind){case`end`:this.#S(e);return;case`reset`:e.cursor=void 0,e.steps=void 0,e.live=!1;break;case`live`:e.live=!0;break;case`build`:e.finished=t.data.finished_at}let r=Date.now();for(let i of e.pages)i.subscriber?.hear(t,n,r);this.#D(e),t.kind===`reset`&&this.#p(e)}#S(e){let t=e.stream;e.over=!0,e.stream=void 0;let n=ir(`end`,e.cursor??``);for(let t of e.pages)t.subscriber?.hear(n,0,Date.now());this.#D(e),t&&this.#_(t).length===0&&this.#b(t),this.#p(e)}#C(e,t){for(let n of e.pages)n.subscriber?.close(),n.refused=t;this.#D(e),this.#f(e)}async#w(e){let t=this.#_(e).filter(e=>e.cursor!==void 0),n=await Promise.all(t.map(or));if(!this.#t.has(e)||!e.pausing)return;let r=!1;for(let[i,a]of t.entries()){let t=n[i];t!==void 0&&t!==`passing`&&a.stream===e&&(r=!0,t===`over`?this.#S(a):this.#C(a,t.refused))}r?this.#b(e):e.later()}#T(e,t){e.at!==void 0&&this.#h(e),e.stream?.hurry(t)}async#E(){try{let e=await fetch(`/`,{cache:`no-store`,signal:AbortSignal.timeout(Qn)});if(!e.ok)return;let t=rr(await e.text());if(t===this.#a)return;this.#a=t;for(let e of this.#e.values())this.#D(e)}catch{}}#D(e){for(let t of e.pages)this.#r.add(t);this.#i||(this.#i=!0,setTimeout(()=>{this.#i=!1;for(let e of this.#r)this.#O(e)},0))}#O(e){this.#r.delete(e);let t=e.subscriber?.batch(Date.now());if(!t){this.#l(e);return}let n={...t,state:nr(e),news:e.log?.stream?.news??Date.now(),scripts:this.#a};e.port.postMessage(n)}};function er(e,t){let n=t.subscriber?.wanted.step;return n===void 0||e.over||e.steps===void 0||e.steps.has(n)}function tr(e){let t=new Set;for(let{subscriber:n}of e.pages)n?.wanted.step!==void 0&&t.add(n.wanted.step);return t}function nr({log:e,subscriber:t,refused:n}){if(n!==void 0)return{name:`refused`,status:n};if(!e||!t)return{name:`connecting`};if(e.over&&t.phase===`over`)return{name:`finished`,at:e.finished?Date.parse(e.finished):void 0};if(e.at!==void 0)return{name:`reconnecting`,at:e.at};let r=e.stream?.state;return e.live&&t.told&&r||r?.name===`reconnecting`?r:e.failures>0?{name:`reconnecting`,at:void 0}:{name:`connecting`}}function rr(e){if(e.includes(`<stepcast-app`))return[...e.matchAll(/<script\b[^>]*\ssrc="([^"]+)"/g)].map(([,e])=>e).join(` `)}function ir(e,t){return{kind:e,id:t}}async function ar(e){if(e===`feed`){let e=await sr(`/api/v1/events?limit=1`);if(e===void 0||`refused`in e)return e??`passing`;let{events:t,next:n}=e.body,r=t[0];return r?.kind===`snapshot`?{state:{kind:`snapshot`,id:n,data:r.data},cursor:n,final:!1,finished:void 0}:`passing`}let t=await sr(`/api/v1/builds/${encodeURIComponent(e)}`);if(t===void 0||`refused`in t)return t??`passing`;let{last_event_id:n,...r}=t.body,i=r.status===`passed`||r.status===`failed`||r.status===`canceled`;return{state:{kind:`whole`,id:n,data:r},cursor:n,final:i,finished:r.finished_at}}async function or(e){let t=await sr(`${e.name===`feed`?`/api/v1/events?limit=1`:`/api/v1/builds/${encodeURIComponent(e.name)}/events?logs=none&limit=1`}&after=${encodeURIComponent(e.cursor??``)}`);return t===void 0?`passing`:`refused`in t?t:t.body.end&&t.body.events.length===0?`over`:`passing`}async function sr(e){try{let t=await fetch(e,{headers:{Accept:`application/json`},cache:`no-store`,signal:AbortSignal.timeout(Qn)});return cr(t.status)?{refused:t.status}:t.ok?{body:await t.json()}:void 0}catch{return}}function cr(e){return e>=400&&e<500&&e!==408&&e!==429}var lr=`/assets/hub-worker-hr8i18gp.js`,ur=3e3,dr=3,fr=`stepcast-upgraded`,pr,mr=`SharedWorker`in globalThis,hr=globalThis.trustedTypes?.createPolicy(`stepcast`,{createScriptURL(e){if(e!==lr)throw TypeError(`${e} is no script of ours.`);return e}}),gr=class{#e;#t;#n;#r;#i={name:`connecting`};#a={name:`connecting`};#o=0;#s;#c=navigator.onLine!==!1;#l=0;#u=!1;#d;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n}open(){addEventListener(`online`,this.#x),addEventListener(`offline`,this.#S),addEventListener(`pagehide`,this.#C),addEventListener(`pageshow`,this.#w),document.addEventListener(`visibilitychange`,this.#T),document.addEventListener(`resume`,this.#T),this.#f()}close(){removeEventListener(`online`,this.#x),removeEventListener(`offline`,this.#S),removeEventListener(`pagehide`,this.#C),removeEventListener(`pageshow`,this.#w),document.removeEventListener(`visibilitychange`,this.#T),document.removeEventListener(`resume`,this.#T),this.#m()}want(e){this.#e=e,this.#g({say:`want`,wanted:e})}retryNow(){this.#g({say:`hurry`,doubt:!0})}#f(){if(this.#m(),this.#b())return;let e=this.#p();this.#r=e,this.#l=0,this.#u=!1,e.addEventListener(`message`,t=>{e===this.#r&&this.#_(t.data)}),e.start(),this.#g({say:`want`,wanted:this.#e}),this.#d=setInterval(this.#v,ur),this.#y()}#p(){if(mr)try{let e=hr?.createScriptURL(lr)??lr,t=new SharedWorker(e,{name:`stepcast`});return t.addEventListener(`error`,()=>{t.port===this.#r&&this.#h()}),t.port}catch{mr=!1}pr??=new $n;let{port1:e,port2:t}=new MessageChannel;return pr.attach(e),t}#m(){clearInterval(this.#d),this.#g({say:`bye`}),this.#r?.close(),this.#r=void 0}#h(){this.#u||(mr=!1),this.#a.name!==`connecting`&&(this.#a={name:`reconnecting`,at:void 0}),this.#f()}#g(e){this.#r?.postMessage(e)}#_(e){this.#u=!0,this.#l=0,this.#a=e.state,this.#o=e.news,this.#s!==void 0&&e.news>this.#s&&(this.#s=void 0),e.events.length>0&&this.#t(e.events),this.#g({say:`took`,number:e.number}),e.scripts!==void 0&&e.scripts!==vr()&&dispatchEvent(new Event(fr)),this.#y(),this.#b()&&this.#m()}#v=()=>{this.#l>=dr?this.#h():(this.#l++,this.#g({say:`here`}),this.#y())};#y(){let e=this.#a;!this.#b()&&this.#s!==void 0?e={name:`offline`}:e.name===`live`&&Date.now()-this.#o>45e3&&(e={name:`stale`,news:this.#o}),_r(e,this.#i)||(this.#i=e,this.#n(e))}#b(){return this.#a.name===`finished`||this.#a.name===`refused`}#x=()=>{this.#c=!0,this.#s=void 0,this.retryNow(),this.#y()};#S=()=>{this.#c&&(this.#s=Date.now()),this.#y()};#C=()=>{this.#m(),pr?.close(),pr=void 0};#w=e=>{e.persisted&&(this.#a.name===`live`&&(this.#a={name:`reconnecting`,at:void 0}),this.#f())};#T=()=>{document.hidden||(this.#y(),this.#g({say:`hurry`,doubt:!1}))}};function _r(e,t){return JSON.stringify(e)===JSON.stringify(t)}function vr(){return[...document.querySelectorAll(`script[src]`)].map(e=>e.getAttribute(`src`)).join(` `)}var yr=class{state;connection={name:`connecting`};asOf=Date.now();#e;#t;#n=!1;constructor(e,t,n,r){this.#e=e,this.state=n,this.#t=new gr(t,e=>{for(let t of e)this.update(r(this.state,t))},t=>{this.connection.name===`live`&&(this.asOf=Date.now()),t.name===`stale`&&(this.asOf=t.news),this.connection=t,e.dispatchEvent(new CustomEvent(`connection`,{detail:t,bubbles:!0,composed:!0})),this.#i()}),e.addController(this)}hostConnected(){this.#t.open(),addEventListener(`stepcast-retry`,this.#r)}hostDisconnected(){this.#t.close(),removeEventListener(`stepcast-retry`,this.#r)}want(e){this.#t.want(e)}update(e){e!==this.state&&(this.state=e,this.#i())}#r=()=>this.#t.retryNow();#i(){if(this.#n)return;this.#n=!0;let e=()=>{cancelAnimationFrame(t),clearTimeout(n),this.#n=!1,this.#e.requestUpdate()},t=requestAnimationFrame(e),n=setTimeout(e,250)}},br=/^([^:]*)(?::L([1-9]\d{0,9})(?:-L?([1-9]\d{0,9}))?)?$/;function xr(e){let[,t=``,n,r]=br.exec(e.replace(/^#/,``))??[],i=``;try{i=decodeURIComponent(t)}catch{}if(n===void 0)return{step:i,lines:void 0};let[a,o]=[Number(n),Number(r??n)];return{step:i,lines:[Math.min(a,o),Math.max(a,o)]}}function Sr(e,t){let n=`#${encodeURIComponent(e)}`;return t?t[0]===t[1]?`${n}:L${t[0]}`:`${n}:L${t[0]}-L${t[1]}`:n}var Cr=16777216,wr={fg:void 0,bg:void 0,bold:!1,dim:!1,italic:!1,underline:!1,inverse:!1,conceal:!1,strike:!1,overline:!1},Tr=/\x1b(?:\[([0-?]*)([ -/]*)([@-~])|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[()*+][ -~]|[78=>cDEHM])|[\x00-\x08\x0a-\x1f\x7f]+?/g,Er=1e4,Dr=/\r$/,Or=/^\x1b\]8;[^;]*;(.*?)(?:\x07|\x1b\\)$/;function kr(e,t){let n=[],r=e.replace(Dr,``),i=0,a,o=e=>{n.push(a?{kind:`text`,text:e,pen:t,href:a}:{kind:`text`,text:e,pen:t})},s=!1;for(let e of r.matchAll(Tr)){e.index>i&&o(r.slice(i,e.index));let c=e[0];if(i=e.index+c.length,c.length===1){s||=c===`\r`||c===`\b`,n.push({kind:`control`,text:c});continue}n.push({kind:`escape`,text:c}),e[3]===`m`&&e[2]===``?t=Lr(t,e[1]??``):s||=e[3]===`D`||e[3]===`G`;let l=Or.exec(c);l&&(a=Ar(l[1]))}return i<r.length&&o(r.slice(i)),r.length<e.length&&n.push({kind:`escape`,text:`\r`}),s?jr(n):n}function Ar(e){return e&&/^https?:\/\//i.test(e)&&URL.canParse(e)?e:void 0}function jr(e){let t=[],n=0;for(let[r,{kind:i,text:a}]of e.entries())if(i===`control`)a===`\r`?n=0:a===`\b`&&(n=Math.max(0,n-1));else if(i===`escape`)n=Nr(a,n,t);else{let e=0;for(let i of a)t[n++]={char:i,piece:r,at:e},e+=i.length}let r=t.filter(e=>e!==void 0),i=r.every((e,t)=>{let n=r[t-1];return!n||n.piece<e.piece||n.piece===e.piece&&n.at<e.at}),a=[];for(let{piece:e,at:t}of r)a[e]??=new Set,a[e].add(t);let o=[],s=[],c=e=>{let t=s.at(-1);i?t?.kind===`escape`?s[s.length-1]={...t,text:t.text+e}:s.push({kind:`escape`,text:e}):o.push(e)};for(let[t,n]of e.entries())if(n.kind===`escape`||n.text===`\r`||n.text===`\b`)c(n.text);else if(n.kind===`control`)s.push(n);else if(!a[t])c(n.text);else for(let{stay:e,text:r}of Mr(n.text,a[t]))e?s.push({...n,text:r}):c(r);if(i)return s;let l=r.map(({char:t,piece:n})=>({...e[n],text:t})),u=s.filter(({kind:e})=>e===`control`);return[{kind:`escape`,text:o.join(``)},...l,...u]}function Mr(e,t){let n=[],r=0,i=0,a;for(let o of e){let s=t.has(i);a!==void 0&&s!==a&&(n.push({stay:a,text:e.slice(r,i)}),r=i),a=s,i+=o.length}return a!==void 0&&n.push({stay:a,text:e.slice(r)}),n}function Nr(e,t,n){let[,r,i]=/^\x1b\[(\d*)([CDGK])$/.exec(e)??[],a=r?G(r):0;if(i===`K`)return a===0?n.length=Math.min(n.length,t):a===1?n.fill(void 0,0,t+1):a===2&&(n.length=0),t;let o=Math.min(Math.max(1,a),Er);return i===`C`?Math.min(t+o,Er):i===`D`?Math.max(0,t-o):i===`G`?o-1:t}function Pr(e,t){if(!e.includes(`\x1B`))return t;for(let n of e.matchAll(Tr))n[3]===`m`&&n[2]===``&&(t=Lr(t,n[1]??``));return t}function Fr(e){return e.replace(Tr,e=>e.length>1?``:e)}function Ir(e){return!/[\x00-\x08\x0a-\x1f\x7f]/.test(e)}function Lr(e,t){if(/[<=>?]/.test(t))return e;let n=e,r=t.split(`;`);for(let e=0;e<r.length;e++){let t=(r[e]??``).split(`:`),i=G(t[0]);if(i===0)n=wr;else if(i===38||i===48||i===58){let a=t.length>1?Br(t):zr(r,e);if(t.length===1&&(e+=a.fields),a.colour===void 0||i===58)continue;n={...n,[i===38?`fg`:`bg`]:a.colour}}else n={...n,...Rr(i,t)}}return n}function Rr(e,t){if(e>=30&&e<=37)return{fg:e-30};if(e>=40&&e<=47)return{bg:e-40};if(e>=90&&e<=97)return{fg:e-90+8};if(e>=100&&e<=107)return{bg:e-100+8};switch(e){case 1:return{bold:!0};case 2:return{dim:!0};case 3:return{italic:!0};case 4:return{underline:t.length<2||G(t[1])!==0};case 7:return{inverse:!0};case 8:return{conceal:!0};case 9:return{strike:!0};case 21:return{underline:!0};case 22:return{bold:!1,dim:!1};case 23:return{italic:!1};case 24:return{underline:!1};case 27:return{inverse:!1};case 28:return{conceal:!1};case 29:return{strike:!1};case 39:return{fg:void 0};case 49:return{bg:void 0};case 53:return{overline:!0};case 55:return{overline:!1};default:return{}}}function zr(e,t){switch(G(e[t+1])){case 5:return{colour:Vr(e[t+2]),fields:2};case 2:return{colour:Hr(e[t+2],e[t+3],e[t+4]),fields:4};default:return{colour:void 0,fields:1}}}function Br(e){let t=e.length>=6?3:2;switch(G(e[1])){case 5:return{colour:Vr(e[2]),fields:0};case 2:return{colour:Hr(e[t],e[t+1],e[t+2]),fields:0};default:return{colour:void 0,fields:0}}}function Vr(e){let t=G(e);return t<=255?t:void 0}function Hr(e,t,n){let[r,i,a]=[G(e),G(t),G(n)];if(!(r>255||i>255||a>255))return Cr|r<<16|i<<8|a}function G(e){return e===void 0||e===``?0:e.length>4?1/0:Number(e)}var Ur=1<<18,Wr=1<<22,Gr=class{lines=0;bytes=0;version=0;#e=new Map;#t=0;#n={offset:0,number:1,pen:wr,row:void 0};#r=[];#i=0;rows(e){return this.#e.get(e)?.rows??[]}line(e){for(let t of this.rows(K(e)))if(t.kind===`line`&&t.number===e)return t}missing(e){let t=this.#e.get(e)?.next??q(e);if(t<=Math.min(this.lines,q(e+1)-1))return this.#n?.number===t?void 0:t;let n=Math.max(1,this.lines);return!this.#n&&this.bytes>0&&e===K(n)?n:void 0}get atEnd(){return this.#n!==void 0}extend(e,t){let n=this.#n!==void 0&&t>this.#n.offset;n&&this.#o(),!n&&e<=this.lines&&t<=this.bytes||(this.lines=Math.max(this.lines,e),this.bytes=Math.max(this.bytes,t),this.version++)}append(e){let t=e.offset+e.bytes;this.#n&&t<=this.#n.offset||(this.#n&&e.offset!==this.#n.offset&&this.#o(),this.#n?this.#f(e,this.#n):this.#d(e),this.lines=Math.max(this.lines,Zr(e)),this.bytes=Math.max(this.bytes,t),this.version++)}fill(e){this.version++;let t=e.chunks[0];if(t){let n=e.sgr?Pr(`\x1b[${e.sgr}m`,wr):wr,r={offset:t.offset,number:t.line,pen:n,row:void 0};for(let t of e.chunks)this.#f(t,r);let i=r.offset>=e.bytes&&r.offset>=this.bytes;!this.#n&&this.#c(r)&&(i||this.#l(r.offset))?this.#u(r):this.#s(r)}this.lines=Math.max(this.lines,e.lines),this.bytes=Math.max(this.bytes,e.bytes)}trim(e){if(this.#e.size<=300&&this.#t<=16777216)return;let t=[...this.#e.keys()].sort((t,n)=>Math.abs(n-e)-Math.abs(t-e));for(let e of t){if(this.#e.size<=300&&this.#t<=16777216||this.#e.size===1)return;this.#n&&e===K(Kr(this.#n))&&this.#o(),this.#a(e)}}#a(e){this.#t-=this.#e.get(e)?.characters??0,this.#e.delete(e)}#o(){let e=this.#n;this.#n=void 0,e&&this.#s(e)}#s(e){let t=K(e.number),n=this.#e.get(t);if(n&&n.next===e.number&&e.number!==this.#n?.number){if(e.row&&e.row===n.rows.at(-1)&&e.row.text.length>=262144)n.next++;else{for(;n.rows.at(-1)?.number===e.number;)this.#h(n,-Xr(n.rows.pop()));n.rows.length===0&&this.#a(t)}}}#c(e){let t=Kr(e);return t===0||this.#e.get(K(t))?.next===e.number}#l(e){return this.#r.some(t=>t.offset===e)}#u(e){this.#n=e;let t=this.#r;this.#r=[],this.#i=0;for(let e of t)e.offset>=(this.#n?.offset??0)&&this.append(e);this.#n&&this.#n.offset<this.bytes&&this.#o()}#d(e){let t=this.#r.at(-1);if(!(t&&e.offset<t.offset+t.bytes))for(t&&e.offset>t.offset+t.bytes&&(this.#r=[],this.#i=0),this.#r.push(e),this.#i+=e.text?.length??0;this.#i>Wr&&this.#r.length>1;)this.#i-=this.#r.shift()?.text?.length??0}#f(e,t){if(t.offset=e.offset+e.bytes,e.lost){t.row&&Yr(t),this.#m({kind:`hole`,number:t.number,bytes:e.lost},void 0,t);return}let n=e.text??``,r=Date.parse(e.at);for(let e=0;e<n.length;){let i=n.indexOf(`
`,e),a=n.slice(e,i<0?n.length:i),o=t.row?Jr(t.row,a):qr(t.number,a,t.pen,r);if(this.#m(o,t.row,t),t.row=o,i<0)return;Yr(t);let s=this.#e.get(K(t.number));s?.next===t.number&&this.#p(t)&&s.next++,t.number++,e=i+1}}#p(e){return!this.#n||e===this.#n||e.number<this.#n.number}#m(e,t,n){if(!this.#p(n))return;let r=K(e.number),i=this.#e.get(r);if(!i){if(e.number!==q(r)||t)return;i={rows:[],next:e.number,characters:0},this.#e.set(r,i)}i.next===e.number&&(t&&i.rows.at(-1)===t?(i.rows[i.rows.length-1]=e,this.#h(i,Xr(e)-Xr(t))):t||(i.rows.push(e),this.#h(i,Xr(e))))}#h(e,t){e.characters+=t,this.#t+=t}};function K(e){return Math.floor((e-1)/100)}function q(e){return e*100+1}function Kr(e){return e.row?e.number:e.number-1}function qr(e,t,n,r){let i=t.length>Ur;return{kind:`line`,number:e,text:i?t.slice(0,Ur):t,pen:n,at:r,cut:i}}function Jr(e,t){let n=e.text+t;if(n.length<=262144)return{...e,text:n};let r=n.lastIndexOf(`\r`,n.length-2);if(r>=0&&n.length-r<=262144){let t=Pr(n.slice(0,r),e.pen);return n=n.slice(r+1),{...e,text:n,pen:t,cut:!0}}return{...e,text:n.slice(0,Ur),cut:!0}}function Yr(e){e.row&&(e.pen=Pr(e.row.text,e.row.pen)),e.row=void 0}function Xr(e){return e?.kind===`line`?e.text.length:0}function Zr(e){let t=e.text??``,n=0;for(let e=t.indexOf(`
`);e>=0;e=t.indexOf(`
`,e+1))n++;return t.endsWith(`
`)?e.line+n-1:e.line+n}var Qr=15e3,$r=class extends Error{};async function J(e,t){let n=AbortSignal.timeout(Qr),r=await fetch(e,{headers:{Accept:`application/json`},signal:t?AbortSignal.any([t,n]):n});if(r.ok)return await r.json();throw new $r(ti(await r.json().catch(()=>void 0))??`The server answered with HTTP status ${r.status}.`)}function ei(e){return e instanceof $r?e.message:e instanceof DOMException&&e.name===`TimeoutError`?`The server took too long to answer.`:`The server could not be reached.`}function ti(e){if(typeof e!=`object`||!e)return;let{detail:t,title:n}=e;return[t,n].find(e=>typeof e==`string`&&e!==``)}var ni=class{#e;constructor(e=[]){let t=[],n=[...e].sort((e,t)=>e.line-t.line||(t.last??0)-(e.last??0)),r=0;for(let{line:e,last:i}of n){let n=t.at(-1),a=Math.max(e,(n?.last??0)+1);i===void 0||i<a||(t.push({from:a,last:i,before:r}),r+=i-a+1)}this.#e=t}hides(e){let t=this.#e[this.#t(e)];return t!==void 0&&e<=t.last}rank(e){let t=this.#e[this.#t(e-1)];return t?e-1-t.before-(Math.min(e-1,t.last)-t.from+1):e-1}at(e){let t=Math.floor(e)+1;for(let{from:e,last:n}of this.#e){if(e>t)break;t+=n-e+1}return t}skips(e){let t=q(e),n=this.#e[this.#t(t)];return n!==void 0&&n.from<t&&n.last>=t+100-1}#t(e){let[t,n]=[0,this.#e.length];for(;t<n;){let r=t+n>>1;(this.#e[r]?.from??0)<=e?t=r+1:n=r}return t-1}},ri=2e4,ii=class{groups=[];marks=[];loaded=!1;folded=new Set;folds=new ni;#e=new Map;#t=new Map;#n=new Map;#r;async load(e,t){this.#r?.abort();let n=new AbortController;this.#r=n;let r=new URLSearchParams({step:t,limit:`10000`});for(let e of[`group`,`annotation`])r.append(`kind`,e);try{for(let t=0;t<ri;){let i=await J(`/api/v1/builds/${e}/notes?${r}`,n.signal);for(let e of i.notes)this.#i(e);if(t+=i.notes.length,!i.next)break;r.set(`after`,i.next)}}catch{}n.signal.aborted||(this.loaded=!0,this.#a())}add(e){this.#i(e)&&this.#a()}stop(){this.#r?.abort()}fold(e,t){this.#n.set(e,t),this.#a()}foldAll(e){for(let t of this.#e.keys())this.#n.set(t,e);this.#a()}unfold(e){if(!this.folds.hides(e))return!1;for(let{number:t,line:n,last:r}of this.groups)n<=e&&(r??0)>=e&&this.#n.set(t,!1);return this.#a(),!0}around(e){return this.groups.findLast(t=>t.line<=e&&(t.last??1/0)>=e)}#i(e){let{number:t,line:n,group:r,group_end:i,annotation:a}=e;if(r&&n!==null){let e=this.#e.get(t);this.#e.set(t,{number:t,name:r.name,level:r.level,line:n,last:r.last_line??e?.last,duration:r.duration_s??e?.duration,asked:r.folded})}else if(i&&n!==null){let e=this.#e.get(i.group);e&&e.last===void 0&&this.#e.set(i.group,{...e,last:n-1,duration:i.duration_s})}else if(a&&n!==null){let e=this.#t.get(n);(!e||ai[a.level]>ai[e.level])&&this.#t.set(n,{line:n,level:a.level,message:a.message})}else return!1;return!0}#a(){this.groups=[...this.#e.values()].sort((e,t)=>e.line-t.line||e.level-t.level),this.marks=[...this.#t.values()].sort((e,t)=>e.line-t.line),this.#o(),this.folded=new Set(this.groups.filter(e=>e.last!==void 0&&this.#n.get(e.number)).map(e=>e.number)),this.folds=new ni(this.groups.filter(({number:e})=>this.folded.has(e)))}#o(){if(this.loaded)for(let{number:e,line:t,last:n,asked:r}of this.groups){if(this.#n.has(e))continue;let i=this.marks.some(e=>e.level===`error`&&e.line>=t&&e.line<=(n??t));this.#n.set(e,(n!==void 0||r)&&!i)}}},ai={notice:0,warning:1,error:2},oi=3e3,si=class extends O{static properties={text:{attribute:!1},label:{},said:{state:!0}};#e;constructor(){super(),this.text=``,this.label=`Copy`,this.said=``}static styles=[R,h`
			:host {
				display: inline-block;
			}
		`];disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.#e),this.said=``}render(){return C`
			<button @click=${this.#t}>${this.said||this.label}</button>
			<span role="status" class="unseen">${this.said}</span>
		`}async#t(){let e=await this.#n();this.said=e?`Copied`:`Not copied: the browser refused`,clearTimeout(this.#e),this.#e=setTimeout(()=>{this.said=``},oi)}async#n(){try{return await navigator.clipboard.writeText(this.text),!0}catch{return this.#r()}}#r(){let e=document.createElement(`textarea`);e.className=`unseen`,e.value=this.text,this.renderRoot.append(e),e.select();let t=document.execCommand(`copy`);return e.remove(),this.renderRoot.querySelector(`button`)?.focus(),t}};customElements.define(`copy-button`,si);var ci=class extends O{static properties={build:{attribute:!1},waiting:{state:!0},refused:{state:!0}};constructor(){super(),this.waiting=!1,this.refused=``}static styles=[R,h`
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
		`];render(){return!(`Notification`in globalThis&&isSecureContext)||!this.build||V(this.build.status)?T:C`
			<button
				aria-pressed=${this.waiting}
				title="A notification when this build has ended"
				@click=${this.#e}
			>
				Notify me
			</button>
			<span role="status">${this.refused}</span>
		`}updated(e){let t=this.build;if(this.waiting&&t&&V(t.status)){this.waiting=!1;try{let e=new Notification(pt(t),{body:t.title??``,tag:t.id});e.addEventListener(`click`,()=>{focus(),e.close()})}catch{}}}async#e(){if(this.waiting){this.waiting=!1;return}let e=await Notification.requestPermission()===`granted`;this.waiting=e,this.refused=e?``:`The browser blocks notifications of this site; its settings can allow them.`}};customElements.define(`notify-button`,ci);var li=class extends O{static properties={started:{},finished:{},expected:{type:Number},asof:{type:Number}};#e=new B(this);constructor(){super(),this.asof=0}static styles=[R,h`
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
		`];willUpdate(e){this.#e.wanted=!!this.started&&!this.finished&&this.asof===0}render(){let e=F(this.started);if(e===void 0)return T;let t=F(this.finished);if(t!==void 0)return C`${N(t-e)}`;let n=(this.asof||Date.now())-e,r=this.expected??0;if(r<=0)return C`${P(n)}`;let i=n>r*1e3;return C`
			${P(n)}
			<span class="muted">${i?`, usually ${mt(r)}`:`of about ${mt(r)}`}</span>
			<progress aria-hidden="true" max=${r} .value=${Math.max(0,Math.min(n/1e3,r))}></progress>
		`}};customElements.define(`run-progress`,li);var ui=class{show(e,t,n){let r=[],i=[];for(let a of e){let e=Number(a.dataset.line);a.classList.toggle(`current`,e===n);let o=t(e);o&&(e===n?i:r).push(...fi(a,o))}di(`match`,r),di(`current-match`,i)}clear(){di(`match`,[]),di(`current-match`,[])}};function di(e,t){typeof Highlight==`function`&&(t.length===0?CSS.highlights.delete(e):CSS.highlights.set(e,new Highlight(...t)))}function fi(e,t){let n=[],r=document.createTreeWalker(e,NodeFilter.SHOW_TEXT),i=0;for(let e=r.nextNode();e;e=r.nextNode()){let r=e.nodeValue??``;if(e.parentElement?.className===`escape`)i+=Fr(r).length;else{for(let[a,o]of t.ranges){let[t,s]=[Math.max(a-i,0),Math.min(o-i,r.length)];if(t>=s)continue;let c=document.createRange();c.setStart(e,t),c.setEnd(e,s),n.push(c)}i+=r.length}}return n}var pi=1e3,mi=3e4,hi=class{failed=``;#e;#t;#n;#r;#i;#a;#o=0;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n}need(e,t){this.#i=[e,t],!this.#r&&this.#a===void 0&&this.#s()}retryNow(){clearTimeout(this.#a),this.#a=void 0,this.#r||this.#s()}stop(){this.#r?.abort(),clearTimeout(this.#a)}async#s(){let e=this.#i;if(!e)return;this.#i=void 0;let t=new AbortController;this.#r=t;try{let n=await J(`${this.#e}/lines?from=${e[0]}&to=${e[1]}`,t.signal);if(t.signal.aborted)return;this.#t.fill(n),this.failed=``,this.#o=0}catch(n){if(t.signal.aborted)return;this.failed=ei(n),this.#i??=e;let r=Math.min(mi,pi*2**this.#o++);this.#a=setTimeout(()=>this.retryNow(),r*(.5+Math.random()/2))}finally{this.#r===t&&(this.#r=void 0)}this.#n()}},gi={light:Di(`#fff8c5`),dark:Di(`#2d2a12`)},_i=4.5,vi=[0,0,0],yi=[255,255,255],bi=[`#24292f`,`#b3212b`,`#116329`,`#7d4e00`,`#0757b8`,`#8a3ab9`,`#0b6b74`,`#d0d7de`,`#57606a`,`#ff8a80`,`#4ac26b`,`#e3b341`,`#79b8ff`,`#d2a8ff`,`#56d4dd`,`#ffffff`].map(Di);function xi(e,t=!1){let n=(e,n)=>t?e:Si(e,n),r=[];e.bold&&r.push(`bold`),e.italic&&r.push(`italic`),e.underline&&r.push(`underline`),e.strike&&r.push(`strike`),e.overline&&r.push(`overline`),e.conceal&&r.push(`conceal`);let[i,a]=e.inverse?[e.bg,e.fg]:[e.fg,e.bg];if(a!==void 0){let e=Y(a),t=i===void 0?Ci(e):n(Y(i),e);return{classes:[...r,`on`],properties:[[`--fg`,X(t)],[`--bg`,X(e)]]}}return e.inverse&&i===void 0?{classes:[...r,`inverse`],properties:[]}:e.inverse&&i!==void 0?{classes:[...r,`inverse`,`exact`],properties:[[`--fg-light`,X(n(Y(i),Di(`#1f2328`)))],[`--fg-dark`,X(n(Y(i),Di(`#e6edf3`)))]]}:i===void 0?{classes:e.dim?[...r,`dim`]:r,properties:[]}:i<16?{classes:[...r,`fg-${i}`],properties:[]}:{classes:[...r,`exact`],properties:[[`--fg-light`,X(n(Y(i),gi.light))],[`--fg-dark`,X(n(Y(i),gi.dark))]]}}function Y(e){if(e>=16777216)return[e>>16&255,e>>8&255,e&255];if(e<16)return bi[e]??vi;if(e>=232){let t=8+(e-232)*10;return[t,t,t]}let t=e=>e===0?0:55+e*40,n=e-16;return[t(Math.floor(n/36)),t(Math.floor(n/6)%6),t(n%6)]}function Si(e,t){if(Ti(e,t)>=_i)return e;let n=Ci(t),r=0,i=1;for(let a=0;a<8;a++){let a=(r+i)/2;Ti(wi(e,n,a),t)>=_i?i=a:r=a}return wi(e,n,i)}function Ci(e){return Ti(vi,e)>=Ti(yi,e)?vi:yi}function wi(e,t,n){let r=r=>Math.round(e[r]+(t[r]-e[r])*n);return[r(0),r(1),r(2)]}function Ti(e,t){let[n,r]=[Ei(e),Ei(t)];return(Math.max(n,r)+.05)/(Math.min(n,r)+.05)}function Ei([e,t,n]){let r=e=>{let t=e/255;return t<=.04045?t/12.92:((t+.055)/1.055)**2.4};return .2126*r(e)+.7152*r(t)+.0722*r(n)}function Di(e){let t=Number.parseInt(e.slice(1),16);return[t>>16&255,t>>8&255,t&255]}function X([e,t,n]){return`rgb(${e} ${t} ${n})`}var Oi=/https?:\/\/[^\s<>"'`\\\p{Cc}]*[^\s<>"'`\\.,;:!?)\]}\p{Cc}]/gu;function ki(e,t,n){let r=document.createElement(`div`);r.className=e.cut?`line cut`:`line`,r.dataset.line=String(e.number);let i=document.createElement(`a`);i.href=t,i.dataset.n=String(e.number),i.tabIndex=-1,i.setAttribute(`aria-hidden`,`true`);let a=document.createElement(`span`);return a.className=`text`,e.text===``?a.append(document.createElement(`br`)):Ir(e.text)&&!Li(e.pen)?a.append(...Fi(e.text)):a.append(...kr(e.text,e.pen).map(e=>Ni(e,n))),r.append(i,a),r}function Ai(e){let t=document.createElement(`div`);return t.className=`hole`,t.textContent=`${j(e.bytes)} bytes of the log are missing here: they were lost before they reached the server.`,t}function ji(e,t){let n=document.createElement(`div`);n.className=`group`,n.dataset.group=String(e.number),n.style.setProperty(`--level`,String(e.level));let r=document.createElement(`button`);r.setAttribute(`aria-expanded`,String(t));let i=document.createElement(`bdi`);i.textContent=e.name||`Group`;let a=document.createElement(`span`);return a.className=`muted`,a.textContent=Mi(e),r.append(i,` `,a),r.disabled=e.last===void 0,n.append(r),n}function Mi(e){if(e.last===void 0)return`running`;let t=M(Math.max(0,e.last-e.line+1),`line`);return e.duration?`${t} · ${N(e.duration*1e3)}`:t}function Ni(e,t){if(e.kind===`text`)return e.href?Ii(e.href,Pi([document.createTextNode(e.text)],e.pen,t)):Pi(Fi(e.text),e.pen,t);let n=document.createElement(`span`);return n.className=e.kind,n.textContent=e.text,e.kind===`control`&&(n.dataset.caret=`^${String.fromCharCode(e.text.charCodeAt(0)^64)}`),n}function Pi(e,t,n){if(!Li(t)){let t=document.createDocumentFragment();return t.append(...e),t}let{classes:r,properties:i}=xi(t,n),a=document.createElement(`span`);a.className=r.join(` `);for(let[e,t]of i)a.style.setProperty(e,t);return a.append(...e),a}function Fi(e){if(!e.includes(`://`))return[document.createTextNode(e)];let t=[],n=0;for(let r of e.matchAll(Oi))URL.canParse(r[0])&&(r.index>n&&t.push(document.createTextNode(e.slice(n,r.index))),t.push(Ii(r[0],document.createTextNode(r[0]))),n=r.index+r[0].length);return n<e.length&&t.push(document.createTextNode(e.slice(n))),t}function Ii(e,t){let n=document.createElement(`a`);return n.href=e,n.target=`_blank`,n.rel=`noopener noreferrer`,n.append(t),n}function Li(e){return e.fg!==void 0||e.bg!==void 0||e.bold||e.dim||e.italic||e.underline||e.inverse||e.conceal||e.strike||e.overline}var Ri=12,zi=2,Bi=20,Vi=12e6,Hi=200,Ui=class{following=!1;#e;#t;#n=document.createElement(`div`);#r=document.createElement(`div`);#i=document.createElement(`div`);#a;#o=[];#s;#c;#l;#u=0;#d=0;#f=20;#p=!1;#m;constructor(e,t,n){this.#e=e,this.#a=t,this.#t=n,this.#r.className=`rows`,this.#n.className=this.#i.className=`beyond`,e.prepend(this.#n,this.#r,this.#i)}show(e=this.#a){this.#a=e,this.#_()}goTo(e,t=0){this.following=!1,this.#s={line:e,y:t},this.#_()}reveal(e,t=!1){let n=this.#e.clientHeight,r=this.element(e);if(r&&!t&&!this.#s){let e=this.#g(r);if(e>=0&&e+r.offsetHeight<=n)return}this.goTo(e,Math.max(0,Math.floor(n/2)-this.#f))}release(){this.#s=void 0}set moving(e){this.#p=e,e||this.#_()}get byReader(){return Math.abs(this.#e.scrollTop-this.#d)>=1}atEnd(e){let{scrollHeight:t,scrollTop:n,clientHeight:r}=this.#e,i=this.#o.at(-1)?.index??0;return t-n-r<=e&&this.#x(i,1,K(Math.max(1,this.#a.text.lines)))===void 0}mode(e){let t=this.#m;if(this.#m=e,this.#r.classList.toggle(`unwrapped`,e.unwrapped),this.#r.classList.toggle(`timed`,e.times!==`off`),!t||t.exact!==e.exact)for(let e of this.#o)e.beside=`-`;t?.times!==e.times&&this.decorate(),JSON.stringify(t)!==JSON.stringify(e)&&this.#_()}heading(e,t){e.dataset.group=String(t.number),e.style.setProperty(`--level`,String(t.level)),e.replaceChildren(...ji(t,!0).childNodes)}scrolled(){this.byReader&&(this.#u=performance.now(),this.#_())}decorate(){for(let e of this.lines())this.#t.decorate(e,Number(e.dataset.line))}lines(){return this.#r.querySelectorAll(`.line`)}element(e){return this.#o.find(({index:t})=>t===K(e))?.element.querySelector(`[data-line="${e}"]`)??void 0}get first(){for(let{index:e,element:t}of this.#o)if(!(this.#g(t)+t.offsetHeight<=0)){for(let e of t.children){if(!(e instanceof HTMLElement)||!e.dataset.line)continue;let t=this.#g(e);if(t+e.offsetHeight>0)return{line:Number(e.dataset.line),y:t}}if(this.#a.text.missing(e)!==void 0)return{line:q(e),y:this.#g(t)}}}stop(){cancelAnimationFrame(this.#c??0),clearTimeout(this.#l),this.#c=-1,this.#n.remove(),this.#r.remove(),this.#i.remove()}get#h(){return this.#r.getBoundingClientRect().height}#g(e){return e.getBoundingClientRect().top-this.#e.getBoundingClientRect().top}#_(){if(this.#c!==void 0)return;let e=()=>{this.#c!==-1&&(cancelAnimationFrame(this.#c??0),clearTimeout(this.#l),this.#c=void 0,this.#v())};this.#c=requestAnimationFrame(e),this.#l=window.setTimeout(e,250)}#v(){let e=this.#e.clientHeight,{text:t}=this.#a;if(e===0)return;if(t.lines===0&&t.bytes===0){this.#C(()=>!0),this.#M(0,0);return}let n=performance.now()+Ri,r=K(Math.max(1,t.lines)),i=this.following?void 0:this.#s??this.#y(),a=i?Math.min(K(i.line),r):r,o=!1,s=this.#o.some(({index:e})=>e===a);s||this.#C(()=>!0);for(let e of this.#o)this.#T(e);s||this.#S(a,this.#o.length);let c=()=>i?this.#b(i):this.#h,l=i?.y??e,u=zi*e;for(;;){let t=this.#o[0]?.index??a,i=this.#x(t,-1,r),s=this.#o.at(-1)?.index??a,d=this.#x(s,1,r),f=c(),p=this.#h-f,m=(e,t,n)=>e<t||e<u&&Math.abs(n-a)<=40||Math.abs(n-a)<=Bi,h=i!==void 0&&m(f-l,0,i),ee=d!==void 0&&m(p-(e-l),0,d),te=i!==void 0&&f-l<0||d!==void 0&&p-(e-l)<0;if(!h&&!ee)break;if(!te&&performance.now()>n){o=!0;break}if(ee&&(!h||p-(e-l)<=f-l)&&d!==void 0)this.#S(d,this.#o.length);else if(i!==void 0)this.#S(i,0);else break}this.#w(a),this.#A(),this.#j(i,c(),e),this.#N(a,r),o&&this.#_(),this.#t.moved()}#y(){let e=this.first,t=this.#e,n=this.#g(this.#r),r=n+this.#h;if(this.#o.length>0&&n<t.clientHeight&&r>0){if(e)return e;let t=this.#o[0];if(t)return{line:q(t.index),y:n}}let{folds:i,text:a}=this.#a,o=i.rank(a.lines+1);if(this.#o.length===0||n>=t.clientHeight){let e=this.#o[0]?i.rank(q(this.#o[0].index)):o,n=t.scrollTop/Math.max(1,this.#n.offsetHeight);return{line:i.at(Math.min(1,n)*Math.max(0,e-1)),y:0}}let s=q((this.#o.at(-1)?.index??0)+1),c=i.rank(s),l=Math.min(1,-r/Math.max(1,this.#i.offsetHeight));return{line:Math.min(a.lines,i.at(c+l*(o-c))),y:0}}#b({line:e}){let t=this.#o.find(({index:t})=>t===K(e));if(!t)return 0;let n=t.element.querySelector(`[data-line="${e}"]`);if(n)return this.#g(n)-this.#g(this.#r);let r=t.element;for(let n of t.element.children)n instanceof HTMLElement&&Number(n.dataset.from??n.dataset.line)<=e&&(r=n);let i=r.dataset.from?e-Number(r.dataset.from):0;return this.#g(r)-this.#g(this.#r)+i*this.#f}#x(e,t,n){for(let r=e+t;r>=0&&r<=n;r+=t)if(!this.#a.folds.skips(r))return r}#S(e,t){let n=document.createElement(`div`);n.className=`block`;let r={index:e,element:n,rows:[],beside:`-`};this.#T(r);let i=this.#o[t]?.element??null;this.#r.insertBefore(n,i),this.#o.splice(t,0,r)}#C(e){this.#o=this.#o.filter(t=>!e(t)||(t.element.remove(),!1))}#w(e){let t=this.#e.clientHeight,n=this.#e.getBoundingClientRect().top;this.#C(({index:r,element:i})=>{if(Math.abs(r-e)<=22)return!1;let{top:a,bottom:o}=i.getBoundingClientRect();return o-n<-4*t||a-n>5*t})}#T(e){let{text:t}=this.#a,n=t.rows(e.index),r=this.#D(e.index);if(r===e.beside){let t=Math.min(e.rows.length,n.length);for(;t>0&&e.rows[t-1]!==n[t-1];)t--;if(t===n.length&&t===e.rows.length)return;if(t>=e.rows.length-1&&!this.#E(n,t)){for(let n=e.rows.length;n>t;n--)e.element.lastElementChild?.remove();this.#O(e,n,t),e.rows=n.slice();return}}e.element.replaceChildren(),e.beside=r,this.#O(e,n,0),e.rows=n.slice();let i=t.missing(e.index);if(i===void 0)return;let a=Math.min(t.lines,q(e.index+1)-1),{folds:o}=this.#a,s=o.rank(a+1)-o.rank(i);if(s<=0)return;let c=document.createElement(`div`);c.className=`waiting`,c.dataset.from=String(i),c.style.setProperty(`--lines`,String(s)),c.style.setProperty(`--height`,`${s*this.#f}px`),e.element.append(c)}#E(e,t){let[n,r]=[e[t]?.number??0,e.at(-1)?.number??0];return this.#a.groups.some(({line:e})=>e>=n&&e<=r)}#D(e){let{text:t,groups:n,folded:r,folds:i}=this.#a,a=q(e),o=n.filter(({line:e,last:t})=>e<a+100&&(t??e)>=a).map(({number:e,line:t,last:n})=>`${e}:${t}:${n}:${r.has(e)}`),s=t.missing(e);if(s!==void 0){let e=Math.min(t.lines,a+100-1);o.push(`${s} to ${e}: ${i.rank(e+1)-i.rank(s)}`)}return o.join(` `)}#O(e,t,n){let{folds:r,folded:i,groups:a}=this.#a,o=q(e.index),s=new Set(a.map(({line:e})=>e).filter(e=>e>=o&&e<o+100)),c=document.createDocumentFragment(),l=e=>{for(let t of this.#k(e))c.append(ji(t,!i.has(t.number)))},u=t[n-1]?.number??0;for(let e of t.slice(n))if(e.number!==u&&s.has(e.number)&&l(e.number),u=e.number,r.hides(e.number)){let e=document.createElement(`span`);e.hidden=!0,c.append(e)}else if(e.kind===`hole`)c.append(Ai(e));else{let t=ki(e,this.#t.href(e.number),this.#m?.exact??!1);this.#t.decorate(t,e.number),c.append(t)}if(n===0){let e=t.at(-1)?.number??o-1;for(let t of s)t>e&&l(t)}e.element.append(c)}#k(e){let{groups:t,folded:n}=this.#a;return t.filter(r=>r.line===e&&!t.some(t=>n.has(t.number)&&t.line<=e&&(t.last??0)>=e&&(t.line<e||t.level<r.level)))}#A(){let{folds:e}=this.#a,[t,n]=[this.#o[0],this.#o.at(-1)];if(!t||!n)return;let r=Math.min(this.#a.text.lines,q(n.index+1)-1),i=e.rank(r+1)-e.rank(q(t.index));i>=20&&(this.#f=Math.max(8,this.#h/i))}#j(e,t,n){let r=this.#e,{folds:i,text:a}=this.#a,[o,s]=[this.#o[0],this.#o.at(-1)];if(!o||!s)return;let c=Math.max(1,i.rank(a.lines+1)),l=Math.min(this.#f,Vi/c),u=i.rank(q(o.index))*l,d=Math.max(0,c-i.rank(q(s.index+1)))*l;if(!e){this.#M(u,d),this.#p||(r.scrollTop=r.scrollHeight),this.#d=r.scrollTop;return}let f=performance.now()-this.#u<Hi,p=u;if(f&&!this.#s&&u>0){let i=r.scrollTop+e.y-t;i>=n&&i<2*u+n&&(p=i),window.setTimeout(()=>this.#_(),Hi)}this.#M(p,d);let m=p+t-e.y;Math.abs(r.scrollTop-m)>=1&&(r.scrollTop=m),this.#d=r.scrollTop,(this.#a.text.line(e.line)!==void 0||i.hides(e.line)||e.line>a.lines)&&(this.#s=void 0)}#M(e,t){this.#n.style.setProperty(`--height`,`${Math.round(e)}px`),this.#i.style.setProperty(`--height`,`${Math.round(t)}px`)}#N(e,t){let{text:n,folds:r}=this.#a,i=this.#o.map(({index:e})=>e);i.sort((t,n)=>Math.abs(t-e)-Math.abs(n-e));for(let e of i){let a=n.missing(e);if(a===void 0)continue;let o=Math.min(q(e+1)-1,Math.max(1,n.lines));if(r.rank(o+1)===r.rank(a)&&e!==t)continue;let s=e;for(;s-e<4&&i.includes(s+1)&&n.missing(s+1)!==void 0;)s++;this.#t.need(a,q(s+1)-1);return}}},Wi=2e4,Gi=2e3,Ki=1e3,qi=200,Ji=class{query={q:``,regex:!1,case:!1,step:void 0};matches=[];total=0;atLeast=!1;state=`idle`;failed=``;#e;#t;#n;#r;#i;#a;#o;#s=!1;constructor(e,t,n){this.#e=e,this.#t=t,this.#n=n,e.addController(this)}hostConnected(){this.#l(0)}hostDisconnected(){this.#c()}want(e){let{q:t,regex:n,step:r}=this.query;(t!==e.q||n!==e.regex||r!==e.step||this.query.case!==e.case)&&(this.query=e,this.#c(),this.matches=[],this.total=0,this.atLeast=!1,this.#r=this.#i=void 0,this.state=e.q===``?`idle`:`searching`,this.#l(qi),this.#d())}grow(){this.state!==`idle`&&this.state!==`failed`&&(this.#s=!0,!this.#a&&this.#o===void 0&&this.#l(Ki))}get more(){return this.#r!==void 0&&this.matches.length<2e4}load(){this.more&&!this.#a&&this.#l(0)}retry(){this.state=`searching`,this.#l(0)}#c(){this.#a?.abort(),this.#a=void 0,clearTimeout(this.#o),this.#o=void 0}#l(e){clearTimeout(this.#o),this.#o=void 0,this.query.q!==``&&(this.#o=setTimeout(()=>{this.#o=void 0,this.#u()},e))}async#u(){let{q:e,regex:t,step:n}=this.query,r=this.#r??this.#i,i=this.#r!==void 0,a=new URLSearchParams({q:e,limit:String(Gi)});t&&a.set(`regex`,`true`),this.query.case&&a.set(`case`,`true`),n!==void 0&&a.set(`step`,n),r!==void 0&&a.set(`after`,r);let o=new AbortController;this.#a=o,this.#s=!1;try{let e=await J(`/api/v1/builds/${this.#t()}/search?${a}`,o.signal);if(o.signal.aborted)return;let t=this.matches.length;this.matches=[...this.matches,...e.matches].slice(0,Wi),this.total=i?t+e.total:this.total+e.total,this.atLeast=!e.complete,this.#r=e.next??void 0,this.#i=e.end,this.state=`found`,this.failed=``}catch(e){if(o.signal.aborted)return;this.state=`failed`,this.failed=ei(e)}this.#a=void 0,this.#s&&this.grow(),this.#d()}#d(){this.#n(),this.#e.requestUpdate()}},Yi=class extends O{static properties={search:{attribute:!1},step:{},position:{type:Number},only:{type:Boolean},state:{},total:{type:Number}};constructor(){super(),this.step=``,this.position=-1,this.only=!1,this.state=``,this.total=0}static styles=[R,h`
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
		`];focus(){let e=this.renderRoot.querySelector(`input`);e?.focus(),e?.select()}render(){let e=this.search?.query;if(!e)return T;let t=e.q!==``;return C`
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
			${t?C`
							<button aria-label="Previous match" title="Previous match (N)" @click=${()=>this.#r(-1)}>↑</button>
							<button aria-label="Next match" title="Next match (n)" @click=${()=>this.#r(1)}>↓</button>
							${this.#e(`Only matches`,`Show only the lines that match`,this.only,()=>this.dispatchEvent(new CustomEvent(`only`,{detail:!this.only})))}
						`:T}
			<span class="count ${this.search?.state===`failed`?`failed`:``}" role="status">${this.#t()}</span>
			${this.search?.state===`failed`?C`<button @click=${()=>this.search?.retry()}>Try again</button>`:T}
		`}#e(e,t,n,r){return C`<button title=${t} aria-label=${t} aria-pressed=${n} @click=${r}>${e}</button>`}#t(){let e=this.search;switch(e?.state){case`searching`:return`Searching…`;case`failed`:return e.failed;case`found`:{if(e.total===0)return`No matches`;let t=`${j(e.total)}${e.atLeast?`+`:``}`;return this.position<0?`${t} ${e.total===1?`line`:`lines`}`:`${j(this.position+1)} of ${t}`}default:return``}}#n(e){if(!this.search)return;let t={...this.search.query,...e};this.dispatchEvent(new CustomEvent(`query`,{detail:t}))}#r(e){this.dispatchEvent(new CustomEvent(`move`,{detail:e}))}#i(e){if(e.key===`Enter`)this.#r(e.shiftKey?-1:1);else if(e.key===`Escape`)this.#n({q:``}),this.dispatchEvent(new Event(`leave`));else return;e.preventDefault(),e.stopPropagation()}};function Xi(e){let t=[],n=0;for(let[r,i]of e.ranges){let[a,o]=[r-e.at,i-e.at];a<n||o>e.text.length||(a>n&&t.push({text:e.text.slice(n,a),hit:!1}),t.push({text:e.text.slice(a,o),hit:!0}),n=o)}return n<e.text.length&&t.push({text:e.text.slice(n),hit:!1}),t}customElements.define(`log-search`,Yi);var Zi=[h`
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
`))],Qi=500,$i=class extends O{static properties={found:{attribute:!1},total:{type:Number},more:{type:Boolean},shown:{state:!0}};constructor(){super(),this.found=[],this.total=0,this.more=!1,this.shown=Qi}static styles=[R,h`
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
		`];render(){let e=this.found.slice(0,this.shown),t=new Map;for(let n of e){let e=t.get(n.step);e?e.push(n):t.set(n.step,[n])}let n=this.found.length>e.length||this.more;return C`
			${[...t].map(([e,t])=>C`
					<h3><bdi>${e}</bdi></h3>
					<ol role="list" aria-label="Matches in ${e}">
						${t.map(t=>C`<li>
								<a href=${Sr(e,[t.line,t.line])}>
									<span class="number">${t.line}</span>
									<span class="text"
										>${t.at>0?`…`:T}${Xi(t).map(({text:e,hit:t})=>t?C`<mark>${e}</mark>`:e)}</span
									>
								</a>
							</li>`)}
					</ol>
				`)}
			${n?C`<p>
							<button @click=${this.#e}>Show more</button>
							<span class="muted">${j(e.length)} of ${j(this.total)} lines are shown.</span>
						</p>`:T}
		`}#e(){this.shown+=Qi,this.shown>=this.found.length&&this.more&&this.dispatchEvent(new Event(`more`))}};customElements.define(`match-list`,$i);var ea=24,ta=250,na=5e3,ra=32<<20,ia=[`off`,`absolute`,`build`,`step`],aa=class extends O{static properties={build:{attribute:!1},step:{attribute:!1},text:{attribute:!1},notes:{attribute:!1},marked:{attribute:!1},following:{state:!0},atEnd:{state:!0},only:{state:!0},position:{state:!0},going:{state:!0},failed:{state:!0},heard:{state:!0}};#e=new Ji(this,()=>this.build?.id??``,()=>this.#re());#t=new B(this);#n=!1;#r;#i;#a;#o=!1;#s=0;#c=0;#l={lines:0,at:0};#u;#d=!1;#f;#p=new ui;#m=new ResizeObserver(()=>this.#r?.show());constructor(){super(),this.text=new Gr,this.notes=new ii,this.following=!0,this.atEnd=!0,this.only=!1,this.position=-1,this.going=!1,this.failed=``,this.heard=``,new s(this),new xn(this,`Log`,[{keys:[`/`],help:`Search the logs`,run:()=>this.#T?.focus()},{keys:[`n`,`Enter`],help:`Go to the next match`,run:()=>this.#ie(1)},{keys:[`N`],help:`Go to the previous match`,run:()=>this.#ie(-1)},{keys:[`e`],help:`Go to the next error or warning`,run:()=>this.#W(1)},{keys:[`E`],help:`Go to the previous error or warning`,run:()=>this.#W(-1)},{keys:[`f`],help:`Follow the end, or stop following`,run:()=>this.#R(!this.following)},{keys:[`G`,`End`],help:`Go to the end`,run:()=>this.#R(!0)},{keys:[`g g`,`Home`],help:`Go to the start`,run:()=>this.#B(1)},{keys:[`:`],help:`Go to a line`,run:()=>this.#V()},{keys:[`t`],help:`Show times, or other ones`,run:()=>this.#ce()},{keys:[`w`],help:`Wrap long lines, or do not`,run:()=>o.set(`wrap`,!o.get(`wrap`))},{keys:[`x`],help:`Fold or unfold the group in view`,run:()=>this.#ee()},{keys:[`X`],help:`Fold or unfold all groups`,run:()=>this.#te()},{keys:[`y`],help:`Copy a link to the marked lines`,run:()=>this.#X()},{keys:[`c`],help:`Copy the marked lines`,run:()=>this.#Z()},{keys:[`r`],help:`Open the raw log`,run:()=>location.assign(this.#E)},{keys:[`Escape`],help:`Clear the search and what is marked`,run:()=>this.#J()}])}static styles=[R,...Zi,h`
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
		`];disconnectedCallback(){super.disconnectedCallback(),this.#x()}grew(){this.#S(),this.#e.grow(),this.#oe(),this.requestUpdate()}reveal(e){this.#o=!1,this.only=!1,this.following=!1,this.#c=this.text.lines,this.notes.unfold(e),this.#S(),this.#r?.reveal(e,!0)}get busy(){return!this.following||this.#e.query.q!==``||this.marked!==void 0}render(){let e=this.step;if(!e)return T;let t=e.name||e.key;return this.#t.wanted=e.status===`queued`,C`
			<div class="bar">
				<h2><bdi>${t}</bdi></h2>
				<log-search
					.search=${this.#e}
					.step=${e.key}
					.position=${this.position}
					.only=${this.only}
					.state=${this.#e.state+this.#e.query.q}
					.total=${this.#e.total}
					@query=${e=>this.#ne(e.detail)}
					@move=${e=>this.#ie(e.detail)}
					@only=${e=>{this.only=e.detail}}
					@leave=${()=>this.#w?.focus()}
				></log-search>
				${this.#h(e)}
			</div>
			${this.going?this.#g():T}
			<div class="window">
				<div
					role="region"
					tabindex="0"
					aria-label="Log of step ${t}"
					?hidden=${this.only}
					@scroll=${this.#P}
					@keydown=${this.#F}
					@wheel=${this.#F}
					@touchmove=${this.#F}
					@pointerdown=${this.#G}
					@click=${this.#K}
				>
					${this.#_(e)}
				</div>
				<div class="stuck group" hidden></div>
				${this.only?C`<match-list
								.found=${this.#e.matches}
								.total=${this.#e.total}
								.more=${this.#e.more}
								@more=${()=>this.#e.load()}
							></match-list>`:T}
				${this.only||this.following||this.atEnd||this.text.lines===0?T:C`<button class="end" @click=${this.#z}>${this.#y()}</button>`}
			</div>
			${this.failed?C`<p class="trouble" role="alert">
							Some lines could not be loaded. ${this.failed}
							<button @click=${()=>this.#i?.retryNow()}>Try again</button>
						</p>`:T}
			<span class="unseen" role="status">${this.heard}</span>
		`}#h(e){let t=this.notes.marks.length,n=o.get(`wrap`);return C`
			<div class="tools">
				${t>0?C`
								<button title="Previous error or warning (E)" aria-label="Previous error or warning" @click=${()=>this.#W(-1)}>✗ ↑</button>
								<button title="Next error or warning (e)" aria-label="Next error or warning, of ${t}" @click=${()=>this.#W(1)}>✗ ↓</button>
							`:T}
				<label>
					<span class="unseen">Times</span>
					<select title="Times (t)" @change=${this.#se}>
						${[[`off`,`No times`],[`absolute`,`Time of day`],[`build`,`Since the build began`],[`step`,`Since the step began`]].map(([e,t])=>C`<option value=${e} ?selected=${e===o.get(`times`)}>${t}</option>`)}
					</select>
				</label>
				<button title="Wrap long lines (w)" aria-pressed=${n} @click=${()=>o.set(`wrap`,!n)}>Wrap</button>
				${V(e.status)?T:C`<button title="Keep the newest line in view (f)" aria-pressed=${this.following} @click=${()=>this.#R(!this.following)}>Follow</button>`}
				<details @keydown=${this.#de} @focusout=${this.#fe}>
					<summary>More</summary>
					<div class="menu">
						<a href=${this.#E}>Raw log</a>
						<a href="${this.#E}?download=true" download>Download</a>
						<a href="/plain/builds/${this.build?.id??``}/steps/${pa(e.key)}">Accessible view</a>
						<button @click=${this.#Q}>Copy all</button>
						<button @click=${this.#X}>Copy a link to here</button>
						<button @click=${this.#V}>Go to a line…</button>
						${this.notes.groups.length>0?C`<button @click=${this.#te}>Fold or unfold all groups</button>`:T}
						<button aria-pressed=${o.get(`exact`)} @click=${()=>o.set(`exact`,!o.get(`exact`))}>
							${o.get(`exact`)?`Readable colours`:`Exact colours`}
						</button>
						<button @click=${this.#le}>Full screen</button>
					</div>
				</details>
			</div>
		`}#g(){return C`<form class="goto" @submit=${this.#H}>
			<label for="line">Go to line</label>
			<input id="line" name="line" type="number" min="1" max=${Math.max(1,this.text.lines)} required
				@keydown=${e=>{e.key===`Escape`&&this.#U()}}
			/>
			<button>Go</button>
			<span class="muted">of ${j(this.text.lines)}</span>
		</form>`}#_(e){let t=[this.#v(e),dt(e)].filter(Boolean).join(` `);return t===``?T:C`<p class="note">${t}</p>`}#v(e){let t=this.text.bytes===0,n=e.exit_code??void 0;switch(e.status){case`queued`:{let e=F(this.build?.created_at);return`The step has not started.${e===void 0?``:` Queued for ${P(Date.now()-e)}.`}`}case`skipped`:return`The step was skipped.`;case`running`:return t?`No output yet.`:``;case`lost`:return`The reporter of this step went silent. If it comes back, the log goes on here.`;default:{let[r,i]=[F(e.started_at),F(e.finished_at)],a=r===void 0||i===void 0?``:` after ${N(i-r)}`,o=n===void 0?``:` with exit code ${n}`;return`${t?`No output. `:``}${fa(e.status)}${o}${a}.`}}}#y(){let e=this.text.lines-this.#c;return e>0?`↓ ${M(e,`new line`)}`:`↓ To the end`}updated(e){this.step&&this.build&&((this.step.key!==this.#a?.key||this.text!==this.#a.text)&&this.#b(this.step),this.#D(),e.has(`marked`)&&(this.#r?.decorate(),this.marked&&this.marked!==this.#f&&this.reveal(this.marked[0])),this.going&&this.renderRoot.querySelector(`.goto input`)?.focus())}#b(e){let t=this.#w;if(!t)return;this.#x(),this.#a={key:e.key,text:this.text},this.only=!1,this.position=-1,this.failed=``;let n=new hi(en(this.build?.id??``,e.key),this.text,()=>{this.failed=n.failed,this.#S()});this.#i=n;let r=new Ui(t,this.#C(),{need:(e,t)=>n.need(e,t),href:t=>Sr(e.key,[t,t]),decorate:(e,t)=>this.#O(e,t),moved:()=>this.#A()});this.#r=r,this.#m.disconnect(),this.#m.observe(t),this.#n||this.#e.want({...this.#e.query,step:e.key}),this.#c=this.text.lines,this.#l={lines:this.text.lines,at:Date.now()},this.marked?this.reveal(this.marked[0]):e.status===`passed`||e.status===`skipped`?(this.following=!1,r.goTo(1)):(this.#o=V(e.status),this.following=!0),this.#S()}#x(){this.#r?.stop(),this.#r=void 0,this.#i?.stop(),this.#i=void 0,this.#a=void 0,this.#o=!1,this.#m.disconnect(),this.#p.clear()}#S(){let e=this.#r;if(e){if(this.#o&&this.notes.loaded){this.#o=!1;let e=this.notes.marks.find(({level:e})=>e===`error`);if(e){this.reveal(e.line);return}}e.following=this.following,e.show(this.#C())}}#C(){let{groups:e,folded:t,folds:n}=this.notes;return{text:this.text,groups:e,folded:t,folds:n}}get#w(){return this.renderRoot.querySelector(`[role=region]`)}get#T(){return this.renderRoot.querySelector(`log-search`)}get#E(){return this.step&&this.build?`${en(this.build.id,this.step.key)}/log`:``}#D(){let e=this.#w,t=this.#r;e&&t&&(e.style.setProperty(`--digits`,String(Math.max(3,String(this.text.lines).length))),t.mode({unwrapped:!o.get(`wrap`),exact:o.get(`exact`),times:o.get(`times`)}))}#O(e,t){let n=this.notes.marks[oa(this.notes.marks,t)];n?.line===t?(e.dataset.level=n.level,e.title=n.message.slice(0,500)):e.dataset.level&&(delete e.dataset.level,e.removeAttribute(`title`));let[r,i]=this.marked??[0,0];e.classList.toggle(`selected`,t>=r&&t<=i);let a=o.get(`times`),s=e.firstElementChild;a!==`off`&&s instanceof HTMLElement&&(s.dataset.time=this.#k(this.text.line(t)?.at??0,a))}#k(e,t){return t===`absolute`?_t(e):vt(e-(F((t===`build`?this.build?.started_at:this.step?.started_at)??this.build?.created_at)??e))}#A(){let e=this.#r,t=this.#w;if(!e||!t)return;this.atEnd=this.following||e.atEnd(ea),this.#j();let n=this.renderRoot.querySelector(`.stuck`),r=e.first?.line,i=r===void 0?void 0:this.notes.around(r),a=i&&i.line<(r??0)&&!this.notes.folded.has(i.number);n&&(n.hidden=!a,a&&n.dataset.group!==String(i.number)&&e.heading(n,i))}#j(){let e=this.#r,t=this.step?.key;if(!e||this.#e.matches.length===0){this.#p.clear();return}let n=this.#e.matches[this.position];this.#p.show(e.lines(),e=>this.#M(e),n?.step===t?n?.line:void 0)}#M(e){let t=this.step?.key;if(this.#N?.matches!==this.#e.matches||this.#N.key!==t){let e=new Map;for(let n of this.#e.matches)n.step===t&&e.set(n.line,n);this.#N={matches:this.#e.matches,key:t,lines:e}}return this.#N.lines.get(e)}#N;#P(){let e=this.#w,t=this.#r;if(!e||!t)return;let{scrollTop:n}=e;t.byReader&&(t.atEnd(ea)?this.following||=n>this.#s:n<this.#s&&this.#L(),t.following=this.following),this.#s=n,t.scrolled()}#F={passive:!0,handleEvent:e=>{e instanceof KeyboardEvent&&!ua(e)||(da(e)&&this.#L(),this.#I())}};#I(){clearTimeout(this.#u),this.#r?.release(),this.#r&&(this.#r.moving=!0),this.#o=!1,this.#u=window.setTimeout(()=>{this.#u=void 0,this.#r&&(this.#r.moving=!1)},ta)}#L(){let e=this.#w;!this.following||!e||e.scrollHeight<=e.clientHeight||(this.following=!1,this.#c=this.text.lines,this.#r&&(this.#r.following=!1))}#R(e){this.#o=!1,clearTimeout(this.#u),this.#u=void 0,this.#r?.release(),this.following=e,this.#c=this.text.lines,this.#r&&(this.#r.moving=!1),this.#S()}#z(){this.#R(!0),this.#w?.focus()}#B(e){this.#o=!1,this.following=!1,this.#c=this.text.lines,this.#S(),this.#r?.goTo(e)}#V(){this.#ue(),this.going=!0}#H(e){e.preventDefault();let t=Number(new FormData(e.target).get(`line`));this.#U(),t>=1&&this.#q([t,t],!0)}#U(){this.going=!1,this.#w?.focus()}#W(e){let{marks:t}=this.notes;if(t.length===0)return;let n=this.marked?.[0]??this.#r?.first?.line??1,r=oa(t,n),i=t[r]?.line===n&&this.marked!==void 0,a=t[((e>0?i?r+1:r:r-1)+t.length)%t.length];a&&(this.#q([a.line,a.line],!0),this.heard=`${fa(a.level)} in line ${a.line}: ${a.message.slice(0,200)}`)}#G(e){let t=ca(e);if(t===void 0||e.button!==0||e.shiftKey){this.#I();return}let n=e=>{let n=ca(e);n===void 0||n===t&&!this.#d||(this.#d=!0,this.#q([Math.min(t,n),Math.max(t,n)]))},r=()=>{removeEventListener(`pointermove`,n),removeEventListener(`pointerup`,r),removeEventListener(`pointercancel`,r)};this.#d=!1,addEventListener(`pointermove`,n),addEventListener(`pointerup`,r),addEventListener(`pointercancel`,r)}#K(e){let t=sa(e,`[data-group]`);if(t?.dataset.group){this.#$(Number(t.dataset.group),!this.notes.folded.has(Number(t.dataset.group)));return}let n=ca(e);if(n===void 0||e.ctrlKey||e.metaKey||e.altKey||(e.preventDefault(),this.#d))return;let r=e.shiftKey&&this.marked?this.marked[0]:n;this.#q([Math.min(r,n),Math.max(r,n)])}#q(e,t=!1){this.#f=e,this.marked=e,this.dispatchEvent(new CustomEvent(`lines`,{detail:e})),t&&e&&this.reveal(e[0]),this.#r?.decorate()}#J(){this.only?this.only=!1:this.#e.query.q===``?this.marked&&this.#q(void 0):this.#ne({...this.#e.query,q:``})}async#Y(e,t){this.#ue();try{await navigator.clipboard.writeText(await e),this.heard=`Copied ${t}.`}catch{this.heard=`This browser does not let the page copy ${t}.`}}#X(){let e=this.#r?.first?.line,t=this.marked??(e===void 0?void 0:[e,e]),n=new URL(Sr(this.step?.key??``,t),location.href);this.#Y(n.href,`the link`)}#Z(){if(!this.marked)return;let[e,t]=this.marked,n=fetch(`${this.#E}?lines=${e}-${t}&ansi=strip`).then(e=>e.text());this.#Y(n,e===t?`line ${e}`:`lines ${e} to ${t}`)}#Q(){this.text.bytes>ra?(this.#ue(),this.heard=`The log is too long to copy; download it.`):this.#Y(fetch(`${this.#E}?ansi=strip`).then(e=>e.text()),`the log`)}#$(e,t){let n=this.notes.groups.find(t=>t.number===e),r=n&&(this.#r?.first?.line??0)>n.line;this.notes.fold(e,t),t&&r?this.#B(n.line):this.#S(),this.requestUpdate()}#ee(){let e=this.marked?.[0]??this.#r?.first?.line,t=e===void 0?void 0:this.notes.around(e);t&&this.#$(t.number,!this.notes.folded.has(t.number))}#te=()=>{this.#ue(),this.notes.foldAll(this.notes.folded.size===0),this.#S(),this.requestUpdate()};#ne(e){e.q!==this.#e.query.q&&(this.position=-1),e.q===``&&(this.only=!1),this.#n=e.step===void 0,this.#e.want({...e,step:this.#n?void 0:this.step?.key}),this.#j()}#re(){if(this.#j(),this.position<0&&this.#e.state===`found`){let e=this.#r?.first?.line??1,t=this.step?.key,n=this.#e.matches.findIndex(n=>n.step===t&&n.line>=e),r=this.#e.matches[n]??this.#e.matches[0];if(!r)return;this.position=Math.max(n,0),r.step===t&&this.#ae(r,!1)}}#ie(e){let{matches:t}=this.#e;if(t.length===0)return;if(this.position+e>=t.length&&this.#e.more){this.#e.load();return}this.position=(this.position+e+t.length)%t.length;let n=t[this.position];n&&this.#ae(n,!0)}#ae(e,t){this.only=!1,e.step===this.step?.key?(this.#o=!1,this.following=!1,this.#c=this.text.lines,this.notes.unfold(e.line),this.#S(),this.#r?.reveal(e.line)):t&&this.dispatchEvent(new CustomEvent(`step`,{detail:e}))}#oe(){if(!this.following||Date.now()-this.#l.at<na)return;let e=this.text.lines-this.#l.lines;e>0&&(this.heard=M(e,`new line`)),this.#l={lines:this.text.lines,at:Date.now()}}#se(e){o.set(`times`,e.target.value)}#ce(){o.set(`times`,ia[(ia.indexOf(o.get(`times`))+1)%ia.length]??`off`)}#le(){this.#ue(),document.fullscreenElement?document.exitFullscreen():this.requestFullscreen?.().catch(()=>{})}#ue(){let e=this.renderRoot.querySelector(`details`);e&&(e.open=!1)}#de(e){e.key===`Escape`&&(this.#ue(),this.renderRoot.querySelector(`summary`)?.focus(),e.stopPropagation())}#fe(e){let t=e.currentTarget;e.relatedTarget instanceof Node&&t.contains(e.relatedTarget)||!e.relatedTarget||this.#ue()}};function oa(e,t){let[n,r]=[0,e.length];for(;n<r;){let i=n+r>>1;(e[i]?.line??0)<t?n=i+1:r=i}return n}function sa(e,t){return e.composedPath().find(e=>e instanceof HTMLElement&&e.matches(t))}function ca(e){let t=sa(e,`a[data-n]`)?.dataset.n;return t===void 0?void 0:Number(t)}var la=[`Home`,`PageUp`,`ArrowUp`];function ua(e){return[...la,`End`,`PageDown`,`ArrowDown`,` `].includes(e.key)}function da(e){return e instanceof KeyboardEvent?la.includes(e.key):e instanceof WheelEvent&&e.deltaY<0}function fa(e){return e.slice(0,1).toUpperCase()+e.slice(1)}function pa(e){return e.split(`/`).map(encodeURIComponent).join(`/`)}customElements.define(`step-log`,aa);var Z=[`failed`,`skipped`,`passed`],ma=class extends O{static properties={build:{},steps:{attribute:!1},wanted:{state:!0},text:{state:!0},rows:{state:!0}};#e={failed:new L(this,`kind=test&status=failed`),skipped:new L(this,`kind=test&status=skipped`),passed:new L(this,`kind=test&status=passed`)};constructor(){super(),this.build=``,this.steps=[],this.wanted=new Set([`failed`]),this.text=``,this.rows={failed:100,skipped:100,passed:100}}static styles=[R,Dt,zt,h`
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
		`];willUpdate(e){for(let e of Z){if(!this.wanted.has(e))continue;let t=this.#e[e];t.want(this.build,wt(this.steps,e)),this.text!==``&&t.more&&t.state===`loaded`&&t.load()}}render(){return Z.reduce((e,t)=>e+wt(this.steps,t),0)===0?C`<p class="muted">No test results were found in this build.</p>`:C`
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
			${this.wanted.size===0?C`<p class="muted">Choose above which results to show.</p>`:T}
		`}#t(e){return C`<button
			aria-pressed=${this.wanted.has(e)}
			@click=${()=>{let t=new Set(this.wanted);t.delete(e)||t.add(e),this.wanted=t}}
		>
			${j(wt(this.steps,e))} <status-mark .status=${e}></status-mark>
		</button>`}#n(){let e=this.steps.filter(({tests:e})=>e);return e.length<2?T:C`
			<details open>
				<summary>By step</summary>
				<table>
					<thead>
						<tr>
							<th scope="col">Step</th>
							${Z.map(e=>C`<th scope="col">${e}</th>`)}
						</tr>
					</thead>
					<tbody>
						${e.map(e=>C`<tr>
								<th scope="row"><a href="#${encodeURIComponent(e.key)}">${Rt(e)}</a></th>
								${Z.map(t=>{let n=e.tests?.[t]??0;return C`<td class=${n>0?t:`muted`}>${j(n)}</td>`})}
							</tr>`)}
					</tbody>
				</table>
			</details>
		`}#r(e){let t=this.#e[e],n=wt(this.steps,e),r=t.notes.filter(({test:e})=>this.#a(e)),i=r.slice(0,this.rows[e]);return C`
			<section aria-label=${ga(e)}>
				<h2>
					${ga(e)}
					<span class="muted">${this.text===``?j(n):`${j(r.length)} of ${j(t.notes.length)} looked through`}</span>
				</h2>
				${n===0?C`<p class="muted">${ha[e]}</p>`:T}
				<ul role="list">
					${A(i,e=>`${e.step} ${e.number}`,e=>C`<li>${this.#i(e)}</li>`)}
				</ul>
				${Ot(t,i.length,r.length,()=>{this.rows={...this.rows,[e]:this.rows[e]+100}})}
			</section>
		`}#i(e){let{name:t,suite:n,status:r,message:i}=e.test,a=e.test.duration_s??0;return C`
			<div class="head">
				<status-mark brief .status=${r}></status-mark>
				<span class="name">
					${n?C`<bdi class="suite">${n}</bdi> › `:T}<bdi>${t}</bdi>
				</span>
				${a>0?C`<span class="took">${N(a*1e3)}</span>`:T}
				<a href=${Ct(e)}>${e.step}${e.line===null?T:`, line ${j(e.line)}`}<span class="unseen">: ${t}</span></a>
			</div>
			${i?C`<note-message .text=${i}></note-message>`:T}
		`}#a({name:e,suite:t=``}){return this.text===``||`${t} ${e}`.toLowerCase().includes(this.text)}#o(e){this.text=e.target.value.trim().toLowerCase()}},ha={failed:`No test failed.`,skipped:`No test was skipped.`,passed:`No test passed.`};function ga(e){return`${e.slice(0,1).toUpperCase()}${e.slice(1)}`}customElements.define(`test-results`,ma);var _a=class extends O{static properties={time:{}};constructor(){super(),new B(this)}render(){let e=F(this.time);return e===void 0?C``:C`<time datetime=${this.time??``} title=${yt(e)}>${ht(e,Date.now())}</time>`}};customElements.define(`time-ago`,_a);var va=4,ya=[`log`,`waterfall`,`tests`,`problems`],ba=class extends O{static properties={build:{},place:{state:!0},selected:{state:!0},view:{state:!0},heard:{state:!0},result:{state:!0}};#e;#t=``;#n=new Map;#r=jn;constructor(){super(),this.build=``,this.place=xr(location.hash),this.selected=this.place.step,this.view=Sa(location.search),this.heard=``,this.result=``,new xn(this,`Build`,[{keys:[`j`],help:`Go to the next step`,run:()=>this.#y(1)},{keys:[`k`],help:`Go to the previous step`,run:()=>this.#y(-1)},{keys:[`]`],help:`Go to the project's next build`,run:()=>void this.#b(1)},{keys:[`[`],help:`Go to the project's previous build`,run:()=>void this.#b(-1)}])}static styles=[R,h`
			:host {
				display: grid;
				grid-template-columns: 20rem minmax(0, 1fr);
				grid-template-rows: auto minmax(0, 1fr);
				height: calc(100vh - var(--header));
				height: calc(100dvh - var(--header));
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
		`];connectedCallback(){super.connectedCallback(),addEventListener(`hashchange`,this.#m),addEventListener(`popstate`,this.#m)}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`hashchange`,this.#m),removeEventListener(`popstate`,this.#m)}willUpdate(e){this.#e??=new yr(this,{log:this.build},jn,(e,t)=>(this.#c(t),Mn(e,t)));let{state:t}=this.#e;this.place.step===``&&(this.selected=this.#p(t.steps)),this.selected!==this.#t&&this.selected!==``&&(this.#t=this.selected,this.#e.want({log:this.build,step:this.selected}))}render(){let e=this.#e;if(!e)return T;let{state:t,connection:n}=e;if(n.name===`refused`&&!t.build){let[e,t]=Ca(n.status);return C`<div class="message">
				<h1>${e}</h1>
				<p>${t} <a href="/">All builds</a></p>
			</div>`}let r=t.build;if(!r)return C`<p class="message muted slow">Loading…</p>`;let i=n.name===`live`?0:e.asOf;return C`
			${this.#s(r,i)}
			<nav aria-label="Steps">
				<details ?open=${!xa.matches}>
					<summary>Steps <span class="muted">${j(t.steps.length)}</span></summary>
					<step-tree .steps=${t.steps} .selected=${this.selected} .asof=${i}></step-tree>
				</details>
			</nav>
			<div class="main">
				${this.#i(t.steps)}
				${this.#a(r,t,i)}
			</div>
			<span class="unseen" role="status">${this.heard}</span>
			<span class="unseen" role="alert">${this.result}</span>
		`}#i(e){let t=e.reduce((e,{tests:t})=>e+(t?t.passed+t.failed+t.skipped:0),0),n=e.reduce((e,{tests:t})=>e+(t?.failed??0),0),r=e.reduce((e,{annotations:t})=>e+(t?t.error+t.warning+t.notice:0),0),i={log:`Log`,waterfall:`Waterfall`,tests:n>0?`Tests: ${j(n)} failed`:`Tests: ${j(t)}`,problems:`Problems: ${j(r)}`},a=ya.filter(e=>e===this.view||(e===`tests`?t>0:e!==`problems`||r>0));return C`<div class="tabs" role="tablist" aria-label="Views" @keydown=${this.#v}>
			${a.map(e=>C`<button
					role="tab"
					id="tab-${e}"
					aria-controls="panel"
					aria-selected=${e===this.view}
					tabindex=${e===this.view?0:-1}
					@click=${()=>this.#_(e)}
				>
					${i[e]}
				</button>`)}
		</div>`}#a(e,t,n){return C`<div id="panel" class="panel ${this.view}" role="tabpanel" aria-labelledby="tab-${this.view}">
			${this.view===`log`?this.#o(e,t):T}
			${this.view===`waterfall`?C`<step-waterfall
							.build=${e}
							.steps=${t.steps}
							.selected=${this.selected}
							.asof=${n}
						></step-waterfall>`:T}
			${this.view===`tests`?C`<test-results .build=${this.build} .steps=${t.steps}></test-results>`:T}
			${this.view===`problems`?C`<annotation-list .build=${this.build} .steps=${t.steps}></annotation-list>`:T}
		</div>`}#o(e,t){let n=t.places.get(this.selected),r=n===void 0?void 0:t.steps[n];if(!r)return t.steps.length===0?C`<p class="message muted">
					${V(e.status)?`This build has no steps.`:`This build has no steps yet.`}
				</p>`:C`<p class="message muted">
				This build has no step “<bdi>${this.selected}</bdi>”. Choose one from the list of steps.
			</p>`;let{text:i,notes:a}=this.#u(r);return C`<step-log
			.build=${e}
			.step=${r}
			.text=${i}
			.notes=${a}
			.marked=${this.place.step===r.key?this.place.lines:void 0}
			@lines=${e=>this.#h(r.key,e.detail)}
			@step=${e=>this.#g(e.detail.step,e.detail.line)}
		></step-log>`}updated(e){let t=this.#e?.state;Ln(t?.build?{status:t.build.status,title:pt(t.build)}:{title:`Build · Stepcast`}),t&&this.#x(t)}#s(e,t){let n=/^https?:\/\//i.test(e.url??``)?e.url:void 0,r=e.status===`running`&&e.started_at;return C`
			<div class="facts">
				<div class="heading">
					<h1>
						<status-mark .status=${e.status}></status-mark>
						<span><a href="/?project=${encodeURIComponent(e.project)}"><bdi>${e.project}</bdi></a> #${e.number}</span>
						${e.title?C`<bdi class="title">${e.title}</bdi>`:T}
					</h1>
					<span class="actions">
						<button aria-label="Previous build of the project" title="Previous build ([)" ?disabled=${e.number<=1} @click=${()=>this.#b(-1)}>‹</button>
						<button aria-label="Next build of the project" title="Next build (])" @click=${()=>this.#b(1)}>›</button>
						<copy-button .text=${location.href} label="Copy link"></copy-button>
						<notify-button .build=${e}></notify-button>
					</span>
				</div>
				<ul role="list">
					${e.branch?C`<li>on <code><bdi>${e.branch}</bdi></code></li>`:T}
					${e.commit?C`<li>at <code title=${e.commit}>${e.commit.slice(0,12)}</code></li>`:T}
					${e.author?C`<li>by <bdi>${e.author}</bdi></li>`:T}
					${e.trigger?C`<li><bdi>${e.trigger}</bdi></li>`:T}
					<li>
						${e.started_at?`started`:`created`}
						<time-ago .time=${e.started_at??e.created_at}></time-ago>
					</li>
					${e.started_at?C`<li>
									${V(e.status)?`took`:`running for`}
									<run-time
										.started=${e.started_at}
										.finished=${e.finished_at}
										.asof=${t}
									></run-time>
								</li>`:T}
					${r&&e.expected_s?C`<li>
									<run-progress
										.started=${e.started_at}
										.finished=${e.finished_at}
										.expected=${e.expected_s}
										.asof=${t}
									></run-progress>
								</li>`:T}
					${n?C`<li><a href=${n} rel="noreferrer">Where it ran</a></li>`:T}
				</ul>
			</div>
		`}#c(e){switch(e.kind){case`whole`:for(let t of e.data.steps??[])this.#l(t);for(let[e,{notes:t}]of this.#n)this.#d(e,t);break;case`step`:this.#l(e.data);break;case`log`:this.#n.get(e.data.step)?.text.append(e.data);break;case`note`:this.#n.get(e.data.step)?.notes.add(e.data);break;case`reset`:this.#n.clear();break;default:return}this.#f?.grew()}#l({key:e,log_lines:t=0,log_bytes:n=0}){this.#n.get(e)?.text.extend(t,n)}#u(e){let t=this.#n.get(e.key);if(t)return t;let n={text:new Gr,notes:new ii};n.text.extend(e.log_lines??0,e.log_bytes??0),this.#n.set(e.key,n),this.#d(e.key,n.notes);for(let[e,{notes:t}]of this.#n){if(this.#n.size<=va)break;t.stop(),this.#n.delete(e)}return n}#d(e,t){t.load(this.build,e).then(()=>this.#f?.grew())}get#f(){return this.renderRoot.querySelector(`step-log`)}#p(e){let t=e.find(e=>e.key===this.selected);return t&&(t.status===`running`||this.#f?.busy)?t.key:(e.find(e=>e.status===`failed`)??e.find(e=>e.status===`lost`)??e.find(e=>e.status===`running`)??t??e.find(e=>(e.log_bytes??0)>0)??e[0])?.key??``}#m=()=>{let e=xr(location.hash);e.step!==``&&(this.selected=e.step);let t=Sa(location.search);(e.step!==this.place.step||e.lines!==void 0)&&this.view!==`log`&&t===this.view?this.#_(`log`):this.view=t;let n=e.lines?.[0]!==void 0&&e.lines[0]===this.place.lines?.[0];this.place=e,n&&e.lines&&this.#f?.reveal(e.lines[0])};#h(e,t){this.place={step:e,lines:t},history.replaceState(history.state,``,location.search+Sr(e,t))}#g(e,t){location.hash=Sr(e,t===void 0?void 0:[t,t])}#_(e){this.view=e;let t=new URLSearchParams(location.search);e===`log`?t.delete(`view`):t.set(`view`,e);let n=t.size>0?`?${t}`:``;history.replaceState(history.state,``,location.pathname+n+location.hash)}#v(e){let t={ArrowRight:1,ArrowLeft:-1}[e.key];if(!t)return;let n=[...this.renderRoot.querySelectorAll(`[role=tab]`)],r=n[(n.indexOf(e.target)+t+n.length)%n.length];r?.focus(),r?.click(),e.preventDefault()}#y(e){let t=Nt(this.#e?.state.steps??[]),n=t[t.indexOf(this.selected)+e];n!==void 0&&this.#g(n)}async#b(e){let t=this.#e?.state.build;if(!t||t.number+e<1)return;let n=new URLSearchParams({project:t.project,number:String(t.number+e),limit:`1`});try{let t=(await J(`/api/v1/builds?${n}`)).builds[0];t?location.assign(`/builds/${t.id}`):this.heard=e>0?`This is the newest build.`:`There is no earlier build.`}catch{this.heard=`The other build could not be found.`}}#x(e){let t=this.#r;if(this.#r=e,t===e||!t.build||!e.build)return;let n=e.steps.filter(({key:e,status:n})=>t.steps[t.places.get(e)??-1]?.status!==n).map(({key:e,name:t,status:n})=>`Step ${t||e}: ${n}.`);n.length>0&&(this.heard=n.slice(0,5).join(` `)),t.build.status!==e.build.status&&V(e.build.status)&&(this.result=`The build ended: ${e.build.status}.`)}},xa=matchMedia(`(max-width: 900px)`);function Sa(e){let t=new URLSearchParams(e).get(`view`);return ya.find(e=>e===t)??`log`}function Ca(e){switch(e){case 400:case 404:return[`No such build`,`There is no build at this address.`];case 401:return[`Not signed in`,`Sign in to see this build.`];default:return[`Not available`,`The server refused to show this build (HTTP status ${e}).`]}}customElements.define(`build-page`,ba);var Q={project:``,branch:``,author:``,status:``};function wa(e,t){return Object.keys(Q).every(n=>e[n]===t[n])}function Ta(e){return wa(e,Q)}function Ea(e){let t=t=>e.get(t)?.trim()??``,n=t(`status`);return{project:t(`project`),branch:t(`branch`),author:t(`author`),status:Qt(n)?n:``}}function Da(e){return new URLSearchParams(Object.entries(e).filter(([,e])=>e!==``))}function Oa(e,t){let{project:n,branch:r,author:i,status:a}=e;return(n===``||ka(n,t.project))&&(r===``||r===t.branch)&&(i===``||i===t.author)&&(a===``||a===t.status)}function ka(e,t){return e===`*`||e===t||e.endsWith(`/*`)&&t.startsWith(e.slice(0,-1))}var Aa={builds:[],loaded:!1,next:void 0,since:0,filter:Q,frozen:void 0},ja=1e3;function $(e,t){switch(t.kind){case`page`:{let n=t.data.next??void 0,r=t.data.builds.at(-1),i=n&&r?Date.parse(r.created_at):0,a=e.frozen&&new Set(e.frozen);for(let{id:e}of t.data.builds)a?.add(e);return Fa({...e,loaded:!0,next:n,since:i,frozen:a},t.data.builds)}case`filter`:return{...e,filter:t.data,next:void 0,frozen:void 0};case`freeze`:return{...e,frozen:new Set(Pa(e).map(({build:e})=>e.id))};case`thaw`:return Fa({...e,frozen:void 0},[]);case`snapshot`:return Fa(e,t.data.builds);case`build`:return Fa(e,[t.data]);case`step`:return La(e,t.data.build_id,t.data);case`reset`:return{...Aa,filter:e.filter};default:return e}}function Ma(e){let{frozen:t}=e;return t?e.builds.filter(({build:e})=>t.has(e.id)):Pa(e)}function Na(e){let{frozen:t}=e;return t?Pa(e).filter(({build:e})=>!t.has(e.id)).length:0}function Pa({builds:e,filter:t}){return e.filter(({build:e})=>Oa(t,e))}function Fa(e,t){let n=new Map(e.builds.map(e=>[e.build.id,e]));for(let{steps:r,at:i,build_id:a,...o}of t){let t=n.get(o.id);(!t||H(t.build.status,o.status))&&n.set(o.id,{build:t?{...t.build,...o}:{expected_s:Ia(e.builds,o),...o},steps:Ra(t?.steps??[],r??[]),partial:r?!1:t?.partial??Date.parse(i??``)>Date.parse(o.created_at)})}let r=({build:t})=>Date.parse(t.created_at)>=e.since&&(Oa(e.filter,t)||!V(t.status)||e.frozen?.has(t.id)),i=[...n.values()].filter(r).sort(za).slice(0,ja);return{...e,builds:i}}function Ia(e,{project:t,branch:n}){let r=e.filter(({build:e})=>e.project===t&&e.expected_s);return(r.find(({build:e})=>e.branch===n)??r[0])?.build.expected_s??null}function La(e,t,n){let r=e.builds.findIndex(e=>e.build.id===t),i=e.builds[r];if(!i)return e;let a={...i,steps:Ra(i.steps,[n])};return{...e,builds:e.builds.with(r,a)}}function Ra(e,t){if(t.length===0)return e;let n=new Map(e.map(e=>[e.key,e]));for(let e of t){let t=n.get(e.key);(!t||H(t.status,e.status))&&n.set(e.key,{...t,...e})}return[...n.values()]}function za(e,t){let[n,r]=[Date.parse(e.build.created_at),Date.parse(t.build.created_at)];return r-n||t.build.number-e.build.number||(e.build.id<t.build.id?1:-1)}var Ba=14,Va=40,Ha=class extends O{static properties={steps:{attribute:!1}};constructor(){super(),this.steps=[]}static styles=[R,h`
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
		`];render(){let{steps:e}=this;return e.length===0?T:C`
			<div class="strip ${e.length>Va?`small`:e.length>Ba?`narrow`:``}" role="img" aria-label=${Ua(e)}>
				${e.map(e=>C`<span class=${e.status} title="${e.name||e.key}: ${e.status}"></span>`)}
			</div>
			${this.#e()}
		`}#e(){let e=[`failed`,`lost`,`running`].find(e=>this.steps.some(t=>t.status===e)),[t,...n]=this.steps.filter(t=>t.status===e);return t?C`
			<div class="said" aria-hidden="true">
				<status-mark brief .status=${t.status}></status-mark>
				<bdi class="muted" title=${t.name||t.key}>${t.name||t.key}</bdi>
				${n.length>0?C`<span class="muted">+ ${n.length}</span>`:T}
			</div>
		`:T}};function Ua(e){let t=Zt.flatMap(t=>{let n=e.filter(e=>e.status===t);if(n.length===0)return[];let r=t===`failed`||t===`running`||t===`lost`,i=n.slice(0,3).map(e=>e.name||e.key);return`${n.length} ${t}${r?` (${i.join(`, `)}${n.length>3?` …`:``})`:``}`});return`${M(e.length,`step`)}: ${t.join(`, `)}`}customElements.define(`step-strip`,Ha);var Wa=4,Ga=class extends O{static properties={listed:{attribute:!1},asof:{type:Number}};constructor(){super(),this.asof=0}static styles=[R,h`
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
				text-align: left;
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
		`];render(){if(!this.listed)return T;let{build:e,steps:t}=this.listed;return C`
			<div role="cell" class="status"><status-mark .status=${e.status}></status-mark></div>
			<div role="rowheader" class="what">
				<a href="/builds/${e.id}">
					${e.title?C`<bdi class="name" title=${e.title}>${e.title}</bdi>`:C`<bdi class="name nameless">${Ka(t)}</bdi>`}
					<span class="which"><bdi>${e.project}</bdi> #${e.number}</span>
				</a>
			</div>
			<div role="cell" class="branch">${e.branch?C`<bdi title=${e.branch}>${e.branch}</bdi>`:T}</div>
			<div role="cell" class="author">${e.author?C`<bdi title=${e.author}>${e.author}</bdi>`:T}</div>
			<div role="cell" class="steps">${t.length>0?C`<step-strip .steps=${t}></step-strip>`:T}</div>
			<div role="cell" class="when muted"><time-ago .time=${e.started_at??e.created_at}></time-ago></div>
			<div role="cell" class="took">${e.started_at?C`<run-progress
							.started=${e.started_at}
							.finished=${e.finished_at}
							.expected=${V(e.status)?null:e.expected_s}
							.asof=${this.asof}
						></run-progress>`:T}</div>
		`}focus(){this.renderRoot.querySelector(`a`)?.focus()}};function Ka(e){if(e.length===0)return`No title, no steps yet`;let t=e.slice(0,Wa).map(e=>e.name||e.key),n=e.length-t.length;return`${t.join(`, `)}${n>0?` and ${n} more`:``}`}customElements.define(`build-item`,Ga);var qa=200,Ja=class extends O{static properties={filter:{attribute:!1},known:{attribute:!1},asking:{state:!0}};constructor(){super(),this.filter=Q,this.known={project:[],branch:[],author:[]},this.asking=!1,new s(this)}static styles=[R,h`
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
		`];render(){let{filter:e}=this,t=o.get(`me`),n=t!==``&&e.author===t;return C`
			<form role="search" aria-label="Builds" @submit=${this.#t} @change=${this.#n}>
				${this.#e(`project`,`Project`,`All, or acme/*`)}
				${this.#e(`branch`,`Branch`,`All`)}
				<label class="status">
					Status
					<select name="status" .value=${e.status}>
						<option value="" ?selected=${e.status===``}>Any</option>
						${Zt.map(t=>C`<option value=${t} ?selected=${e.status===t}>${t}</option>`)}
					</select>
				</label>
				${this.#e(`author`,`Author`,`All`)}
				<button type="button" aria-pressed=${n} @click=${this.#r}>Mine</button>
				${e.author!==``&&!n?C`<button type="button" @click=${this.#i}>This is me</button>`:T}
				${Ta(e)?T:C`<button type="button" @click=${()=>this.#a(Q)}>Clear</button>`}
			</form>
			<p role="status">${this.asking?`Who are you? Write your name into the author field, as builds show it, then press “This is me”.`:``}</p>
		`}focus(){this.renderRoot.querySelector(`input`)?.focus()}#e(e,t,n){return C`
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
					${this.known[e].slice(0,qa).map(e=>C`<option value=${e}></option>`)}
				</datalist>
			</label>
		`}#t(e){e.preventDefault(),this.#n()}#n(){let e=this.renderRoot.querySelector(`form`);if(!e)return;let t=t=>String(new FormData(e).get(t)??``).trim();this.#a({project:t(`project`),branch:t(`branch`),author:t(`author`),status:t(`status`)})}#r(){let e=o.get(`me`);e===``?(this.asking=!0,this.renderRoot.querySelector(`[name=author]`)?.focus()):this.#a({...this.filter,author:this.filter.author===e?``:e})}#i(){o.set(`me`,this.filter.author),this.asking=!1,this.renderRoot.querySelector(`[aria-pressed]`)?.focus()}#a(e){wa(e,this.filter)||this.dispatchEvent(new CustomEvent(`filter`,{detail:e}))}};customElements.define(`builds-filter`,Ja);var Ya=/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/;function Xa(e){return[Za(e),Qa(e),$a(e)]}function Za(e){let t=`stepcast run --project hello -- echo hello`;return Ya.test(e)?{name:`With the client`,about:`On this machine: in Stepcast’s own folder, or with stepcast on the PATH.`,text:`PATH="$PATH:$PWD/bin" ${t.replace(`--project`,`--url ${e} --project`)}`}:{name:`With the client`,about:`With stepcast on the PATH, and a token that stepcast token made.`,text:`export STEPCAST_URL=${e} STEPCAST_TOKEN=stp_…\n${t}`}}function Qa(e){return{name:`With curl`,about:`The server says at its start in which file its first token lies.`,text:`export STEPCAST_URL=${e} STEPCAST_TOKEN=$(cat path/to/token)
auth="Authorization: Bearer $STEPCAST_TOKEN" json='Content-Type: application/json'
build=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
curl -sS "$STEPCAST_URL/api/v1/builds" -H "$auth" -H "$json" \\
  -d "{\\"id\\":\\"$build\\",\\"project\\":\\"hello\\"}"
curl -sS "$STEPCAST_URL/api/v1/builds/$build/updates" -H "$auth" -H "$json" -d '{"updates":[
  {"step":{"key":"greet","status":"running"}},
  {"log":{"step":"greet","offset":0,"text":"hello\\n"}},
  {"step":{"key":"greet","status":"passed","exit_code":0}},
  {"build":{"status":"passed"}}]}'`}}function $a(e){return{name:`In a CI system`,about:`In GitHub Actions; others are as short, and find each other’s jobs too.`,text:`env:
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
      - run: stepcast build finish --status auto`}}var eo=class extends O{static styles=[R,h`
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
		`];render(){return C`
			<p class="waiting">
				<span class="dot" aria-hidden="true"></span>
				No builds yet. Waiting for the first one, which appears here by itself.
			</p>
			${Xa(location.origin).map(({name:e,about:t,text:n})=>C`
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
		`}};customElements.define(`first-build`,eo);var to=50,no=300,ro=matchMedia(`(hover: hover)`),io=[`Status`,`Build`,`Branch`,`Author`,`Steps`,`Started`,`Took`],ao=class extends O{static properties={failed:{state:!0},loading:{state:!0},slow:{state:!0},said:{state:!0},projects:{state:!0}};#e=new yr(this,{log:`feed`},$(Aa,{kind:`filter`,data:Ea(new URLSearchParams(location.search))}),(e,t)=>{let n=$(e,t);return this.#t?.push(t),t.kind!==`live`||n.loaded&&this.failed===``||this.#d(),n});#t;#n;#r=new Set;constructor(){super(),this.failed=``,this.loading=!1,this.slow=!1,this.said=``,this.projects=[],new xn(this,`Builds`,[{keys:[`/`],help:`Go to the filter`,run:()=>this.#c?.focus()},{keys:[`j`],help:`Go to the next build; Enter opens it`,run:()=>this.#_(1)},{keys:[`k`],help:`Go to the previous build`,run:()=>this.#_(-1)}])}static styles=[R,h`
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
		`];connectedCallback(){super.connectedCallback(),Ln({title:`Builds · Stepcast`}),addEventListener(`scroll`,this.#v,{passive:!0}),addEventListener(`popstate`,this.#h),this.#d()}disconnectedCallback(){super.disconnectedCallback(),removeEventListener(`scroll`,this.#v),removeEventListener(`popstate`,this.#h),this.#n?.abort()}render(){let{state:e,connection:t}=this.#e,{loaded:n,next:r,filter:i}=e,a=n||this.failed!==``?Ma(e):[],o=t.name===`live`?0:this.#e.asOf,s=Na(e),c=n&&!this.loading&&this.failed===``&&a.length===0&&s===0;return C`
			<h1 class="unseen">Builds</h1>
			<builds-filter
				.filter=${i}
				.known=${this.#l()}
				@filter=${this.#p}
				@focusin=${this.#u}
			></builds-filter>
			<p role="status" class="unseen">${this.said}</p>
			${s>0?C`<button class="new" @click=${this.#y}>${M(s,`new build`)}</button>`:T}
			${a.length>0?this.#i(a,o):T}
			${c?this.#a(i):T}
			${this.failed===``?T:this.#o(r)}
			${r!==void 0&&this.failed===``?C`<button class="below" ?disabled=${this.loading} @click=${()=>this.#d(r)}>
							Older builds
						</button>`:T}
			${this.slow&&a.length===0?this.#s():T}
		`}#i(e,t){return C`
			<div
				role="table"
				aria-label="Builds"
				aria-busy=${this.loading}
				@pointerenter=${this.#v}
				@pointerleave=${this.#v}
			>
				<div class="head" role="row">
					${io.map(e=>C`<div role="columnheader">${e}</div>`)}
				</div>
				${A(e,({build:e})=>e.id,e=>C`<build-item role="row" .listed=${e} .asof=${t}></build-item>`)}
			</div>
		`}#a(e){return Ta(e)?C`<first-build></first-build>`:C`<p>
			No builds match.
			<button @click=${()=>this.#m(Q)}>Clear the filter</button>
		</p>`}#o(e){return C`<p role="alert" class="below">
			The builds could not be loaded: ${this.failed}
			<button @click=${()=>this.#d(e)}>Try again</button>
		</p>`}#s(){return C`
			<p role="status" class="unseen">Loading…</p>
			<div class="skeleton" aria-hidden="true">
				${Array.from({length:8},()=>C`<div></div>`)}
			</div>
		`}willUpdate(e){this.#v()}updated(e){let{builds:t}=this.#e.state,n=t.find(({build:e,partial:t})=>t&&!this.#r.has(e.id));n&&this.#f(n.build.id)}get#c(){return this.renderRoot.querySelector(`builds-filter`)}#l(){let{builds:e}=this.#e.state,t=e=>[...new Set(e)].filter(e=>e!=null).sort();return{project:t([...this.projects,...e.map(({build:e})=>e.project)]),branch:t(e.map(({build:e})=>e.branch)),author:t(e.map(({build:e})=>e.author))}}async#u(){if(!(this.projects.length>0))try{let{projects:e}=await J(`/api/v1/projects`);this.projects=e.map(({name:e})=>e)}catch{}}async#d(e){this.#n?.abort();let t=new AbortController;this.#n=t,this.loading=!0,this.failed=``;let n=setTimeout(()=>{this.slow=!0},no);this.#t=[];try{let n=Da(this.#e.state.filter);n.set(`limit`,String(to)),e!==void 0&&n.set(`before`,e);let r=await J(`/api/v1/builds?${n}`,t.signal);if(t!==this.#n)return;let i=$(this.#e.state,{kind:`page`,data:r}),a=this.#t.reduce($,i);this.#e.update(a),this.said=`${M(Ma(a).length,`build`)}${a.next===void 0?``:`, and older ones`}`}catch(e){t===this.#n&&(this.failed=ei(e))}finally{clearTimeout(n),t===this.#n&&(this.#n=void 0,this.#t=void 0,this.loading=!1,this.slow=!1)}}async#f(e){this.#r.add(e);try{let t={kind:`snapshot`,id:``,data:{builds:[await J(`/api/v1/builds/${encodeURIComponent(e)}`)]}};this.#e.update($(this.#e.state,t))}catch{}}#p(e){this.#m(e.detail)}#m(e){let t=String(Da(e));history.pushState(null,``,t===``?`/`:`/?${t}`),this.#g(e)}#h=()=>this.#g(Ea(new URLSearchParams(location.search)));#g(e){this.#e.update($(this.#e.state,{kind:`filter`,data:e})),this.#d()}#_(e){let t=[...this.renderRoot.querySelectorAll(`build-item`)],n=t.findIndex(e=>e.matches(`:focus-within`));t[n<0?0:Math.min(t.length-1,Math.max(0,n+e))]?.focus()}#v=()=>{let{state:e}=this.#e,t=this.renderRoot.querySelector(`[role=table]`)?.matches(`:hover`)??!1,n=e.loaded&&(scrollY>0||t&&ro.matches);n!==(e.frozen!==void 0)&&this.#e.update($(e,{kind:n?`freeze`:`thaw`}))};#y(){this.#e.update($(this.#e.state,{kind:`freeze`}))}};customElements.define(`builds-page`,ao);var oo={Steps:8,Builds:6,Projects:5,Actions:8};function so(e){let t=e.trim();if(t===``)return;if(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(t))return`/api/v1/builds/${t}`;let[,n=``,r]=/^([\w./-]*)\s*#\s*(\d{1,15})$/.exec(t)??/^()(\d{1,15})$/.exec(t)??[],i=new URLSearchParams(r===void 0?{branch:t}:{number:r});return n!==``&&i.set(`project`,n),i.set(`limit`,String(oo.Builds)),`/api/v1/builds?${i}`}function co(e,t,n){let r=n.toLowerCase().split(/[\s#]+/).filter(Boolean),i=e.flatMap(e=>{let t=lo(e,r);return t===void 0?[]:[{place:e,score:t}]}).sort((e,t)=>e.score-t.score).map(({place:e})=>e),a=new Set(i.map(({go:e})=>e)),o=[...t.filter(({go:e})=>!a.has(e)),...i];return Object.keys(oo).flatMap(e=>o.filter(t=>t.group===e).slice(0,oo[e]))}function lo({name:e,about:t},n){let r=e.toLowerCase(),i=`${r} ${t.toLowerCase()}`;if(!n.every(e=>i.includes(e)))return;let a=n[0]??``;return r.startsWith(a)?0:r.split(/[\s/._-]+/).some(e=>e.startsWith(a))?1:2}function uo(e){let t=e.steps??[],n=e.title||t.map(e=>e.name||e.key).join(`, `);return{group:`Builds`,name:`${e.project} #${e.number}`,about:[e.branch,e.status,n].filter(Boolean).join(` · `),status:e.status,go:An(e.id)}}function fo(e){return(e.steps??[]).map(({key:t,name:n,status:r})=>({group:`Steps`,name:n||t,about:n&&n!==t?`${t} · ${r}`:r,status:r,go:An(e.id,t)}))}function po(e,t){return{group:`Projects`,name:e,about:t?`#${t.number} ${t.status}`:``,...t?{status:t.status}:{},go:`/?${Da({project:e,branch:``,author:``,status:``})}`}}var mo=200,ho=class extends O{static properties={actions:{attribute:!1},words:{state:!0},known:{state:!0},asked:{state:!0},active:{state:!0},failed:{state:!0},busy:{state:!0}};#e;#t;#n;constructor(){super(),this.actions=[],this.#g()}static styles=[R,h`
			dialog {
				width: min(40rem, calc(100vw - 1.5rem));
				max-height: min(36rem, calc(100dvh - 1.5rem));
				margin-top: min(6rem, 8dvh);
				padding: 0;
				overflow: hidden;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--page);
				color: var(--text);
			}

			dialog[open] {
				display: flex;
				flex-direction: column;
			}

			dialog::backdrop {
				background: rgb(0 0 0 / 45%);
			}

			.top {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				padding: 0.625rem;
				border-bottom: 1px solid var(--line);
			}

			input {
				flex: 1;
				min-width: 0;
				min-height: 2.25rem;
				padding: 0.25rem 0.625rem;
				border: 1px solid var(--control);
				border-radius: 0.375rem;
				background: var(--page);
				color: var(--text);
				font: inherit;
			}

			[role="listbox"] {
				overflow-y: auto;
				padding: 0 0.375rem 0.375rem;
			}

			[role="group"] > div:first-child {
				padding: 0.5rem 0.5rem 0.125rem;
				color: var(--muted);
				font-size: 0.75rem;
				font-weight: 600;
			}

			[role="option"] {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 2rem;
				padding: 0.1875rem 0.5rem;
				border-radius: 0.375rem;
				font-size: 0.875rem;
				cursor: pointer;
			}

			[aria-selected="true"] {
				background: var(--panel);
				box-shadow: inset 3px 0 0 var(--link);
			}

			bdi {
				overflow: hidden;
				text-overflow: ellipsis;
				white-space: nowrap;
			}

			.name {
				flex: none;
				max-width: 60%;
				font-weight: 600;
			}

			p {
				margin: 0;
				padding: 0.5rem 0.875rem;
				font-size: 0.875rem;
			}

			.failed {
				color: var(--failed);
			}

			@media (pointer: coarse) {
				[role="option"] {
					min-height: 2.75rem;
				}
			}
		`];render(){let e=this.#i(),t=Math.min(this.active,e.length-1);return C`
			<dialog aria-label="Jump to" @close=${this.#h} @keydown=${this.#d} @click=${this.#p}>
				<div class="top">
					<input
						role="combobox"
						aria-label="Jump to a project, a build, a branch or a step"
						aria-autocomplete="list"
						aria-expanded=${e.length>0}
						aria-controls="places"
						aria-activedescendant=${t>=0?`place-${t}`:T}
						placeholder="Project, #number, branch, step …"
						dir="auto"
						maxlength="500"
						autocomplete="off"
						autocapitalize="off"
						spellcheck="false"
						.value=${this.words}
						@input=${this.#c}
					/>
					<button @click=${this.#m}>Close</button>
				</div>
				<div role="listbox" id="places" aria-label="Places" ?hidden=${e.length===0}>
					${this.#a(e,t)}
				</div>
				<p role="status" class=${e.length>0?`unseen`:`muted`}>
					${this.busy&&e.length===0?`Searching…`:this.#s(e.length)}
				</p>
				${this.failed===``?T:C`<p class="failed" role="alert">${this.failed}</p>`}
			</dialog>
		`}async show(){let e=this.#r;if(!e||e.open)return;this.#g(),Cn(e),this.renderRoot.querySelector(`input`)?.focus(),this.#t=new AbortController;let{signal:t}=this.#t,n=kn(location.pathname);await this.#u(t,async()=>{let[e,r,i]=await Promise.all([n.page===`build`?J(`/api/v1/builds/${encodeURIComponent(n.id)}`,t).then(fo).catch(()=>[]):[],J(`/api/v1/builds?limit=50`,t),J(`/api/v1/projects`,t)]);this.known=[...e,...r.builds.map(uo),...i.projects.map(({name:e,latest:t})=>po(e,t))]})}updated(e){e.has(`active`)&&this.renderRoot.querySelector(`[aria-selected=true]`)?.scrollIntoView({block:`nearest`})}get#r(){return this.renderRoot.querySelector(`dialog`)}#i(){return co([...this.known,...this.actions],this.asked,this.words)}#a(e,t){return[...new Set(e.map(({group:e})=>e))].map(n=>C`
				<div role="group" aria-labelledby="group-${n}">
					<div id="group-${n}" role="presentation">${n}</div>
					${e.map((e,r)=>e.group===n?this.#o(e,r,r===t):T)}
				</div>
			`)}#o(e,t,n){return C`
			<div
				role="option"
				id="place-${t}"
				aria-selected=${n}
				@pointermove=${()=>{this.active=t}}
				@click=${t=>this.#f(e,t)}
			>
				${e.status?C`<status-mark brief .status=${e.status}></status-mark>`:T}
				<bdi class="name">${e.name}</bdi>
				<bdi class="muted">${e.about}</bdi>
			</div>
		`}#s(e){return e>0?M(e,`place`):`Nothing matches. A branch has to be written in full.`}#c(e){this.words=e.target.value,this.active=0,this.asked=[],this.#n?.abort(),clearTimeout(this.#e);let t=so(this.words);if(this.busy=t!==void 0,t===void 0)return;this.#n=new AbortController;let{signal:n}=this.#n;this.#e=setTimeout(()=>this.#l(t,n),mo)}async#l(e,t){await this.#u(t,async()=>{let n=await J(e,t);this.asked=(`builds`in n?n.builds:[n]).map(uo)}),t.aborted||(this.busy=!1)}async#u(e,t){this.failed=``;try{await t()}catch(t){e.aborted||(this.failed=ei(t))}}#d(e){if(e.isComposing)return;let t=this.#i(),n=t.length-1,r=Math.min(this.active,n);switch(e.key){case`ArrowDown`:this.active=r>=n?0:r+1;break;case`ArrowUp`:this.active=r<=0?n:r-1;break;case`Enter`:{if(e.target instanceof HTMLButtonElement)return;let n=t[r];n&&this.#f(n,e);break}case`k`:if(!e.ctrlKey&&!e.metaKey)return;this.#m();break;default:return}e.preventDefault()}#f({go:e},t){this.#m(),typeof e==`string`?t.ctrlKey||t.metaKey?open(e,`_blank`,`noopener`):location.assign(e):e()}#p(e){e.target===this.#r&&this.#m()}#m(){this.#r?.close()}#h(){this.#t?.abort(),this.#n?.abort(),clearTimeout(this.#e)}#g(){this.words=``,this.known=[],this.asked=[],this.active=0,this.failed=``,this.busy=!1}};customElements.define(`command-palette`,ho);var go=/Mac|iPhone|iPad/.test(navigator.platform)?`⌘`:`Ctrl`,_o={Mod:go,Escape:`Esc`,ArrowUp:`↑`,ArrowDown:`↓`," ":`Space`},vo=class extends O{constructor(){super(),new s(this)}static styles=[R,h`
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

			.top {
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
		`];render(){return C`
			<dialog aria-labelledby="heading">
				<div class="top">
					<h2 id="heading">Keys</h2>
					<form method="dialog"><button>Close</button></form>
				</div>
				<label>
					<input type="checkbox" .checked=${o.get(`keys`)} @change=${this.#e} />
					Single keys do something
				</label>
				<div class="groups">
					${[...Sn()].map(([e,t])=>C`
							<section>
								<h3>${e}</h3>
								<dl>
									${t.map(e=>C`<div><dt>${yo(e)}</dt><dd>${e.help}</dd></div>`)}
								</dl>
							</section>
						`)}
				</div>
			</dialog>
		`}async show(){this.requestUpdate(),await this.updateComplete;let e=this.renderRoot.querySelector(`dialog`);e&&!e.open&&Cn(e)}#e(e){o.set(`keys`,e.target.checked)}};function yo({keys:e}){return e.map((e,t)=>{let n=e===` `?[e]:e.split(/[ +](?=.)/);return C`${t>0?`, `:``}${n.map((e,t)=>C`${t>0?` `:``}<kbd>${_o[e]??(n[0]===`Mod`?e.toUpperCase():e)}</kbd>`)}`})}customElements.define(`help-dialog`,vo);var bo=class extends O{static styles=[R,h`
			:host {
				display: block;
				max-width: 40rem;
				margin: 0 auto;
				padding: 3rem 1rem;
				overflow-wrap: anywhere;
			}
		`];connectedCallback(){super.connectedCallback(),Ln({title:`No such page · Stepcast`})}render(){return C`
			<h1>There is no such page</h1>
			<p>Nothing is at <code>${location.pathname}</code>. It may have been mistyped, or cut off.</p>
			<p><a href="/">All builds</a></p>
		`}};customElements.define(`no-page`,bo);var xo=class extends O{static properties={connection:{attribute:!1},slow:{state:!0},old:{state:!0}};#e=new B(this);#t;constructor(){super(),this.connection={name:`connecting`},this.slow=!1,this.old=!1}static styles=[R,h`
			:host {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 1.75rem;
				font-size: 0.875rem;
				color: var(--muted);
			}

			button {
				flex: none;
				font-size: inherit;
			}

			.live {
				color: var(--passed);
			}

			.stale,
			.offline,
			.reconnecting {
				color: var(--stale);
			}

			@media (max-width: 640px) {
				:host {
					gap: 0.375rem;
					font-size: 0.75rem;
					line-height: 1.2;
					text-align: right;
				}
			}
		`];connectedCallback(){super.connectedCallback(),this.#t=setTimeout(()=>{this.slow=!0},1e3),addEventListener(fr,this.#r),document.addEventListener(`visibilitychange`,this.#i)}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this.#t),removeEventListener(fr,this.#r),document.removeEventListener(`visibilitychange`,this.#i)}willUpdate(e){this.#e.wanted=this.connection.name===`stale`||this.connection.name===`reconnecting`}render(){let[e,t]=this.#n();return C`
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
		`}#n(){let e=this.connection;switch(e.name){case`connecting`:return this.slow?[`Connecting`,`Connecting…`]:[``,``];case`live`:return[`Live`,`● Live`];case`stale`:return[`No news from the server`,`! No news for ${P(Date.now()-e.news)}`];case`reconnecting`:return e.at===void 0?[`Reconnecting`,`Reconnecting…`]:[`Reconnecting`,`Reconnecting in ${Math.max(0,Math.ceil((e.at-Date.now())/1e3))} s`];case`offline`:return[`Offline`,`Offline: showing what was loaded`];case`finished`:return[`Finished`,e.at===void 0?`Finished`:`Finished ${gt(e.at)}`];case`refused`:return[`Not connected`,`Not connected`]}}#r=()=>{this.old=!0,this.#i()};#i=()=>{this.old&&document.hidden&&performance.now()>6e4&&location.reload()};#a(){this.dispatchEvent(new Event(`stepcast-retry`,{bubbles:!0,composed:!0}))}};customElements.define(`stream-state`,xo);var So={auto:`light`,light:`dark`,dark:`auto`},Co={auto:Me`<circle cx="8" cy="8" r="5.5" /><path class="solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />`,light:Me`<circle class="solid" cx="8" cy="8" r="2.75" /><path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />`,dark:Me`<path class="solid" d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />`},wo=class extends O{constructor(){super(),new s(this)}static styles=[R,h`
			:host {
				display: inline-flex;
			}
		`];render(){let e=o.get(`theme`),t=`Theme: ${e}`;return C`
			<button class="icon" aria-label=${t} title=${t} @click=${this.#e}>
				<svg viewBox="0 0 16 16" aria-hidden="true">${Co[e]}</svg>
			</button>
		`}#e(){o.set(`theme`,So[o.get(`theme`)])}};customElements.define(`theme-button`,wo);var To={tiles:new Map,loaded:!1,truncated:!1};function Eo({project:e,branch:t}){return`${e}\n${t??``}`}function Do(e,t){switch(t.kind){case`snapshot`:{let n=t.data.truncated??!1;return t.data.builds.reduce(Oo,{...e,loaded:!0,truncated:n})}case`build`:return Oo(e,t.data);case`step`:return ko(e,t.data.build_id,t.data);case`past`:return Ao(e,t);case`reset`:return To;default:return e}}function Oo(e,{steps:t,...n}){let r=Eo(n),i=e.tiles.get(r);if(i&&i.build.number>n.number)return jo(e,Mo(i,n));let a=i?.build.id===n.id;return i&&a&&!H(i.build.status,n.status)?e:jo(e,Mo({key:r,build:{...n,expected_s:n.expected_s??i?.build.expected_s??null},steps:No(a?i.steps:[],t??[]),failures:i?.failures??[],passed:i?.passed??0,past:i?.past??`unknown`},n))}function ko(e,t,n){for(let r of e.tiles.values())if(r.build.id===t)return jo(e,{...r,steps:No(r.steps,[n])});return e}function Ao(e,{key:t,builds:n,whole:r}){let i=e.tiles.get(t);if(!i)return e;let a=n.reduce(Mo,i);return jo(e,{...a,past:r||a.past===`whole`?`whole`:`part`})}function jo(e,t){return e.tiles.get(t.key)===t?e:{...e,tiles:new Map(e.tiles).set(t.key,t)}}function Mo(e,t){let{number:n,status:r}=t;if(n<=e.passed)return e;if(r===`passed`)return{...e,passed:n,failures:e.failures.filter(e=>e.number>n),past:n===e.build.number?`whole`:e.past};if(r!==`failed`||e.failures.some(e=>e.number===n))return e;let i={number:n,at:t.finished_at??t.created_at,author:t.author??void 0},[a=i,...o]=[...e.failures,i].sort((e,t)=>e.number-t.number);return{...e,failures:[a,...o.slice(-49)]}}function No(e,t){let n=new Map(e.map(e=>[e.key,e]));for(let e of t){let t=n.get(e.key);(!t||H(t.status,e.status))&&n.set(e.key,{...t,...e})}return[...n.values()]}function Po({past:e,build:t}){return e===`unknown`&&t.status!==`skipped`}var Fo=50,Io=4;async function Lo({key:e,build:t},n){let r=[],i;for(let a=0;a<Io;a++){let a=new URLSearchParams({project:t.project,limit:String(Fo)});a.append(`status`,`passed`),a.append(`status`,`failed`),t.branch&&a.set(`branch`,t.branch),i!==void 0&&a.set(`before`,i);let o=await fetch(`/api/v1/builds?${a}`,{headers:{Accept:`application/json`},signal:AbortSignal.any([n,AbortSignal.timeout(15e3)])});if(!o.ok)throw Error(`the list of builds: ${o.status}`);let{builds:s,next:c}=await o.json();if(r.push(...s.filter(t=>Eo(t)===e)),!c||r.some(({status:e})=>e===`passed`))return{kind:`past`,key:e,builds:r,whole:!0};i=c}return{kind:`past`,key:e,builds:r,whole:!1}}var Ro=24;function zo(e){let t=new URLSearchParams(e),n=Number(t.get(`cols`));return{projects:t.getAll(`project`).filter(Boolean),branches:t.getAll(`branch`).filter(Boolean),cols:Number.isInteger(n)&&n>0?Math.min(n,Ro):void 0,problems:t.get(`mode`)===`problems`}}function Bo({build:e,failures:t}){switch(e.status){case`failed`:return 0;case`lost`:return 1;case`canceled`:return 2;case`running`:case`queued`:return t.length>0?3:e.status===`running`?4:5;default:return 5}}function Vo(e){return Bo(e)<=3}function Ho(e,t){let{projects:n,branches:r}=t;return[...e.tiles.values()].filter(({build:e})=>(n.length===0||n.some(t=>Wo(t,e.project)))&&(r.length===0||r.includes(e.branch??``))).sort((e,t)=>Bo(e)-Bo(t)||(e.key<t.key?-1:1))}function Uo(e,t){let n=new Set(e.map(({build:e})=>e.project));return t.projects.filter(e=>!e.includes(`*`)&&!n.has(e))}function Wo(e,t){return e.endsWith(`*`)?t.startsWith(e.slice(0,-1)):t===e}function Go({status:e,started_at:t,expected_s:n},r){if(e===`running`&&t&&n)return Math.min(1,Math.max(0,(r-Date.parse(t))/(n*1e3)))}function Ko(e){let t=(...t)=>e.filter(({build:e})=>t.includes(e.status)).length,n=t(`passed`);return n===e.length?n===1?`Passing`:`All ${n} passing`:`No problems: ${[[n,`passing`],[t(`running`),`running`],[t(`queued`),`queued`],[t(`skipped`),`skipped`]].filter(([e])=>e>0).map(([e,t])=>`${e} ${t}`).join(`, `)}`}var qo={width:220,height:136},Jo=8;function Yo(e,t,n,r){let i=(e,t)=>Math.max(1,Math.floor((e+Jo)/(t+Jo))),a=i(n,qo.height),o=r??i(t,qo.width);if(e>o*a)return{cols:o,rows:a,pages:Math.ceil(e/(o*a))};let s={cols:r??1,rows:Math.max(1,Math.ceil(e/(r??1))),pages:1},c=0;for(let i=1;r===void 0&&i<=Math.min(e,o);i++){let r=Math.ceil(e/i);if(r>a)continue;let o=Math.min(t/i/1.6,n/r);o>c&&([s,c]=[{cols:i,rows:r,pages:1},o])}return s}function Xo(e){let t=[[0,0],[3,0],[3,3],[0,3],[-3,3],[-3,0],[-3,-3],[0,-3],[3,-3]];return t[Math.floor(e/6e5)%t.length]??t[0]}function Zo({steps:e}){let t=e.filter(({status:e})=>e===`failed`||e===`lost`);return[t[0],Math.max(0,t.length-1)]}var Qo=class extends O{static properties={tile:{attribute:!1},now:{type:Number},coarse:{type:Boolean}};constructor(){super(),this.now=0,this.coarse=!1}static styles=[R,h`
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
		`];render(){if(!this.tile)return T;let{build:e}=this.tile,t=Go(e,this.now);return C`
			<a href="/builds/${e.id}" class=${e.status}>
				<span class="name">
					<span class="project">
						<bdi>${z(e.project,40)}</bdi>
						<span class="number">#${e.number}</span>
					</span>
					${e.branch?C`<span class="branch"><bdi>${z(e.branch,28)}</bdi></span>`:T}
				</span>
				<span class="status">
					<status-mark .status=${e.status}></status-mark>
					<span class="time">${this.#e()}</span>
				</span>
				${this.#t(this.tile)}
				${t===void 0?T:C`<span
								class="track"
								${U({"--done":this.coarse?Math.floor(t*20)/20:t})}
							></span>`}
			</a>
		`}#e(){if(!this.tile)return``;let{status:e,created_at:t,started_at:n,finished_at:r,expected_s:i}=this.tile.build,a=F(n),o=F(r);if(e===`queued`)return`for ${P(this.now-Date.parse(t))}`;if(e===`running`&&a!==void 0){let e=i?` of about ${P(i*1e3)}`:``;return`${P(this.now-a)}${e}`}return o===void 0?``:ht(o,this.now)}#t(e){let[t,n]=Zo(e),[r]=e.failures,i=[];if(t&&i.push(C`<bdi>${z(t.name||t.key,30)}</bdi>${n>0?` and ${n} more`:``}`),r&&e.past!==`unknown`){let t=e.past===`part`?`at least `:``;i.push(C`failing for ${t}${P(this.now-Date.parse(r.at))}, since #${r.number}${r.author?C` by <bdi>${z(r.author,24)}</bdi>`:T}`)}return i.length===0?T:C`<span>${i.map(e=>C`<span class="why">${e}</span>`)}</span>`}};customElements.define(`wall-tile`,Qo);var $o=45e3,es=2e4,ts=5e3,ns=4,rs=600,is=new Intl.DateTimeFormat(`en-GB`,{timeStyle:`medium`}),as=class extends O{static properties={size:{state:!0},page:{state:!0},paused:{state:!0},still:{type:Boolean,reflect:!0},projects:{state:!0}};#e=zo(location.search);#t=new yr(this,{log:`feed`},To,(e,t)=>(this.#i=void 0,(t.kind===`live`||t.kind===`reset`)&&this.#s.clear(),Do(e,t)));#n={all:[],problems:0,shown:[],pages:1,cols:1,rows:1};#r;#i;#a=Date.now();#o=Date.now();#s=new Set;#c=0;#l=new AbortController;#u;#d;#f=matchMedia(`(prefers-reduced-motion: reduce)`);#p=new ResizeObserver(([e])=>{e&&(this.size=e.contentRect)});constructor(){super(),this.size={width:innerWidth,height:innerHeight},this.page=0,this.paused=this.#f.matches,this.still=!1,new B(this)}static styles=[R,h`
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
		`];connectedCallback(){super.connectedCallback(),this.#l=new AbortController;let e={signal:this.#l.signal,passive:!0};for(let t of[`pointermove`,`pointerdown`,`keydown`])addEventListener(t,this.#T,e);document.addEventListener(`visibilitychange`,this.#E,e),this.#T(),this.#E()}disconnectedCallback(){super.disconnectedCallback(),this.#l.abort(),this.#p.disconnect(),clearTimeout(this.#u),this.#d?.release()}firstUpdated(){this.#p.observe(this.renderRoot.querySelector(`.board`))}willUpdate(e){let t=Date.now();this.#m(t),this.#n=this.#g(this.#t.state);let[n,r]=Xo(t);this.style.setProperty(`--x`,String(n)),this.style.setProperty(`--y`,String(r)),t-this.#o>=es&&(this.#o=t,!this.paused&&!this.shadowRoot?.activeElement&&this.page++)}#m(e){let{connection:t}=this.#t,n=e-this.#a>$o&&document.visibilityState===`visible`;this.#a=e,n&&this.#r!==void 0?(this.#i=e,dispatchEvent(new Event(`stepcast-retry`))):(this.#i!==void 0&&e-this.#i>$o&&(this.#i=void 0),t.name===`live`&&this.#i===void 0&&(this.#r=e),t.name===`stale`&&(this.#r=Math.min(this.#r??t.news,t.news)))}get#h(){let{name:e}=this.#t.connection;return this.#r===void 0?!1:e===`live`?this.#i!==void 0:e!==`reconnecting`&&e!==`connecting`||Date.now()-this.#r>$o}render(){let{state:e,connection:t}=this.#t,n=this.#h,r=t.name===`live`&&!n?Date.now():this.#r??Date.now();return C`
			<h1 class="unseen">Wallboard</h1>
			<div class="board ${n?`stale`:``}">
				<p role="alert" class="alarm">${n&&this.#r!==void 0?`NO DATA SINCE ${gt(this.#r)}`:T}</p>
				${this.#_(e,r)}
			</div>
			${this.#x(e)}
		`}#g(e){let t=Ho(e,this.#e),n=t.filter(Vo),r=[...this.#e.problems?n:t,...e.loaded?Uo(t,this.#e):[]],{width:i,height:a}=this.size,{cols:o}=this.#e,s=i<rs?{cols:o??1,rows:r.length,pages:1}:Yo(r.length,i,a,o);return{all:t,problems:n.length,shown:r,...s}}#_(e,t){let{all:n,shown:r,pages:i,cols:a,rows:o}=this.#n;if(!e.loaded)return this.#v(...this.#y());if(r.length===0&&n.length===0)return this.#v(`No builds yet`,`The first one for this board appears here by itself.`);if(r.length===0)return C`<div class="calm">
				<status-mark brief .status=${`passed`}></status-mark>
				<p>${Ko(n)}</p>
			</div>`;let s=this.page%i*a*o;return C`
			<ul role="list" class="tiles" ${U({"--cols":a,"--rows":o})}>
				${A(r.slice(s,s+a*o),e=>typeof e==`string`?e:e.key,e=>typeof e==`string`?C`<li class="absent">
									<strong><bdi>${e}</bdi></strong> ${this.#b(e)}
								</li>`:C`<li>
									<wall-tile .tile=${e} .now=${t} .coarse=${this.#f.matches}></wall-tile>
								</li>`)}
			</ul>
		`}#v(e,t){return C`<div class="calm">
			<p>${e}</p>
			<p class="why">${t}</p>
		</div>`}#y(){let{connection:e}=this.#t;return e.name===`connecting`||e.name===`live`?[`Loading…`,``]:e.name===`refused`?e.status===401?[`Not signed in`,`Sign in to see this board.`]:[`Not available`,`The server refused this board (HTTP status ${e.status}).`]:[`No data yet`,`The server cannot be reached. This board goes on trying.`]}#b(e){if(this.projects?.has(e)===!1)return`There is no such project.`;let{branches:t}=this.#e;return t.length>0?`No build on ${t.join(` or `)} yet.`:`No build yet.`}#x(e){let{all:t,problems:n,pages:r}=this.#n;return C`
			<footer>
				${e.loaded?C`<span>${n===0?`No problems`:M(n,`problem`)}, ${j(t.length)} watched</span>`:T}
				${e.truncated?C`<span>More branches than a board holds: name projects or branches in its address.</span>`:T}
				${r>1?this.#S(r):T}
				<stream-state .connection=${this.#t.connection}></stream-state>
				<span class="clock">${gt(Date.now())}</span>
				${this.#r===void 0?T:C`<span>as of ${is.format(this.#r)}</span>`}
			</footer>
		`}#S(e){let t=t=>()=>{this.paused=!0,this.page=(this.page+t+e)%e};return C`<span class="pages">
			<button aria-label="Previous page" @click=${t(-1)}>‹</button>
			Page ${this.page%e+1} of ${e}
			<button aria-label="Next page" @click=${t(1)}>›</button>
			<button
				@click=${()=>{this.paused=!this.paused,this.#o=Date.now()}}
			>
				${this.paused?`Turn pages`:`Stay on this page`}
			</button>
		</span>`}updated(e){let{state:t,connection:n}=this.#t,{all:r,problems:i,shown:a}=this.#n,o=this.#h?`! no data`:i>0?`✗ ${i}`:`✓`;if(document.title=`${t.loaded?`${o} · `:``}Wallboard · Stepcast`,n.name===`live`){for(let e of r)Po(e)&&!this.#s.has(e.key)&&this.#C(e);this.projects===void 0&&a.some(e=>typeof e==`string`)&&this.#w()}}async#C(e){if(!(this.#c>=ns)){this.#s.add(e.key),this.#c++;try{let t=await Lo(e,this.#l.signal);this.#t.update(Do(this.#t.state,t))}catch{}finally{this.#c--,this.requestUpdate()}}}async#w(){this.projects=new Set;try{let e=await fetch(`/api/v1/projects`,{headers:{Accept:`application/json`},signal:this.#l.signal});if(!e.ok)throw Error(`the list of projects: ${e.status}`);let{projects:t}=await e.json();this.projects=new Set(t.map(({name:e})=>e))}catch{this.projects=void 0}}#T=()=>{this.still=!1,clearTimeout(this.#u),this.#u=setTimeout(()=>{this.still=!0},ts)};#E=async()=>{if(document.visibilityState===`visible`&&`wakeLock`in navigator)try{this.#d=await navigator.wakeLock.request(`screen`),this.#l.signal.aborted&&await this.#d.release()}catch{}}};customElements.define(`wall-page`,as);var os=class extends O{static properties={connection:{state:!0}};constructor(){super(),this.connection={name:`connecting`},new xn(this,`Everywhere`,[{keys:[`Mod+k`],help:`Jump to a project, a build or a step`,run:()=>this.#r()},{keys:[`?`],help:`Show the keys`,run:()=>this.#i()}])}static styles=[R,h`
			:host {
				display: block;
			}

			header {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				height: var(--header);
				padding: 0 1rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
			}

			header a {
				display: inline-flex;
				align-items: center;
				min-height: 1.75rem;
				color: var(--text);
				font-size: 0.875rem;
				text-decoration: none;
			}

			header .home {
				font-size: 1.0625rem;
				font-weight: 700;
			}

			header a:hover {
				text-decoration: underline;
			}

			.jump {
				display: inline-flex;
				align-items: center;
				gap: 0.5rem;
				margin-inline: 0.5rem;
				color: var(--muted);
				font-size: 0.875rem;
			}

			.words {
				min-width: 8rem;
				text-align: left;
			}

			.skip {
				position: absolute;
				top: 0.5rem;
				left: 0.5rem;
				z-index: 2;
			}

			.skip:not(:focus) {
				clip-path: inset(50%);
			}

			stream-state {
				min-width: 0;
				margin-left: auto;
			}

			main:focus {
				outline: 0;
			}

			@media (max-width: 640px) {
				header {
					gap: 0.375rem;
					padding: 0 0.75rem;
				}

				.jump {
					justify-content: center;
					margin-inline: 0.25rem;
					padding: 0.125rem;
				}

				.words {
					position: absolute;
					clip-path: inset(50%);
				}

				kbd,
				header .wide {
					display: none;
				}
			}
		`];render(){let{page:e}=kn(location.pathname);return C`
			${e===`wall`?T:this.#e()}
			<main tabindex="-1" @connection=${this.#o}>${this.#t()}</main>
			<command-palette .actions=${this.#n}></command-palette>
			<help-dialog></help-dialog>
		`}#e(){return C`
			<header>
				<button class="skip" @click=${this.#a}>Skip to the content</button>
				<a class="home" href="/">Stepcast</a>
				<button
					class="icon jump"
					aria-keyshortcuts="Control+K Meta+K"
					aria-haspopup="dialog"
					@click=${this.#r}
				>
					<svg viewBox="0 0 16 16" aria-hidden="true">
						${Me`<circle cx="7" cy="7" r="4.5" /><path d="M10.5 10.5 14 14" />`}
					</svg>
					<span class="words">Jump to <span class="unseen">a project, a build or a step</span></span>
					<kbd aria-hidden="true">${go} K</kbd>
				</button>
				<a class="wide" href="/wall">Wallboard</a>
				<stream-state .connection=${this.connection}></stream-state>
				<slot name="chip"></slot>
				<theme-button></theme-button>
				<button class="icon wide" aria-label="Keys" title="Keys" aria-haspopup="dialog" @click=${this.#i}>
					?
				</button>
			</header>
		`}#t(){let e=kn(location.pathname);switch(e.page){case`builds`:return C`<builds-page></builds-page>`;case`build`:return C`<build-page .build=${e.id}></build-page>`;case`wall`:return C`<wall-page></wall-page>`;case`none`:return C`<no-page></no-page>`}}get#n(){let e=kn(location.pathname),t=(e,t,n)=>({group:`Actions`,name:e,about:t,go:n}),n=e=>()=>o.set(`theme`,e);return[t(`All builds`,``,`/`),t(`Wallboard`,`the newest build of each branch`,`/wall`),t(`Accessible view`,`without scripts, for screen readers`,e.page===`build`?`/plain/builds/${encodeURIComponent(e.id)}`:`/plain`),t(`Keys`,`what each one does, and their off switch`,()=>this.#i()),t(`Light theme`,``,n(`light`)),t(`Dark theme`,``,n(`dark`)),t(`Theme of the system`,``,n(`auto`))]}#r(){this.renderRoot.querySelector(`command-palette`)?.show()}#i(){this.renderRoot.querySelector(`help-dialog`)?.show()}#a(){this.renderRoot.querySelector(`main`)?.focus()}#o(e){this.connection=e.detail}};customElements.define(`stepcast-app`,os);