// All words of the pages, in both languages under the same keys, and the switch between them.

const TEXTS = {
  zh: {
    "app.name": "话术",
    "strip.language": "English",
    "talk.title": "和机器人打个电话",
    "talk.captions": "字幕",
    "talk.phone": "电话",
    "ears.text": "没有识别器：它听您打的字",
    "ears.sound": "它用 {name} 听您说话",
    "ears.denied": "没有麦克风：它听您打的字",
    "empty.first": "按绿色按钮，像接到电话一样开口。",
    "empty.second": "双方的话会写在这里；划掉的字没有说出口，您一插话它就停。",
    "typing.label": "打字代替说话",
    "typing.placeholder": "也可以打字，当作您说的话",
    "typing.placeholder_only": "在这里打字，当作您说的话",
    "typing.send": "说",
    "side.mine": "您",
    "side.theirs": "机器人",
    "side.me": "我",
    "side.customer": "客户",
    "side.speaks": "在说",
    "side.muted": "静音",
    "call.begin": "打电话",
    "call.end": "挂断",
    "state.loading": "正在准备",
    "state.idle": "打电话",
    "state.calling": "正在接通",
    "state.up": "通话中",
    "state.ended": "再打一次",
    "setup.script": "话术",
    "setup.contact": "您扮演的客户",
    "setup.ears": "耳朵",
    "setup.ears_sound": "听声音",
    "setup.ears_text": "看打字",
    "setup.via": "线路",
    "setup.none": "这里没有可打的话术，请看服务端的日志。",
    "keys.title": "按键",
    "budget.title": "您说完 {ms} 毫秒后它开口",
    "budget.opening": "接通 {ms} 毫秒后它开口",
    "budget.short": "{ms} 毫秒",
    "budget.endpoint": "等您说完",
    "budget.recognise": "识别",
    "budget.understand": "听懂",
    "budget.decide": "决定",
    "budget.voice": "合成",
    "budget.network": "网络",
    "note.interrupted": "被打断",
    "note.silence": "沉默 {s} 秒",
    "note.digit": "按了键",
    "note.handover": "转给人工",
    "ended.customer": "您挂断了",
    "ended.agent": "已挂断",
    "ended.line_lost": "线路断了",
    "ended.bad_data": "线路出错，已断开：{detail}",
    "ended.refused": "没有接通：{detail}",
    "ended.other": "通话结束",
    "ended.fault": "服务端出了故障，已断开",
    "ended.no_detail": "原因在服务端的日志里",
    "outcome.accepted": "结果：同意办理",
    "outcome.declined": "结果：不办",
    "outcome.callback": "结果：约了再打",
    "outcome.do_not_call": "结果：不再打扰",
    "outcome.transferred": "结果：转人工",
    "outcome.wrong_person": "结果：不是本人",
    "outcome.busy": "结果：忙",
    "outcome.no_answer": "结果：无人接听",
    "outcome.voicemail": "结果：语音信箱",
    "outcome.unreachable": "结果：无法接通",
    "outcome.hung_up": "结果：中途挂断",
    "outcome.completed": "结果：完成",
    "outcome.not_understood": "结果：没有听懂",
    "outcome.failed": "结果：出了故障",
    "fault.microphone": "麦克风不能用，改为打字。要用麦克风，请在浏览器里允许，并用 https 或本机地址打开。",
    "fault.server": "服务没有回应，请看 ./huashu talk 还在不在。",
    "fault.refused": "现在接不了：{detail}",
    "fault.sound": "这个浏览器放不出声音：{detail}",
    "soft.title": "坐席电话",
    "soft.online": "上线",
    "soft.answer": "接听",
    "soft.mute": "静音",
    "soft.hang_up": "挂断",
    "soft.offline": "未上线",
    "soft.waiting": "等待来电",
    "soft.ringing": "来电",
    "soft.talking": "通话中",
    "soft.no_ticket": "请从坐席页面打开这个电话：链接里没有登录票据。",
    "soft.again": "已离线，请从坐席页面重新打开。",
    "soft.microphone": "麦克风不能用，请在浏览器里允许。",
  },
  en: {
    "app.name": "Huashu",
    "strip.language": "中文",
    "talk.title": "Talk to the bot",
    "talk.captions": "Captions",
    "talk.phone": "Phone",
    "ears.text": "No recogniser: it hears what you type",
    "ears.sound": "It hears you through {name}",
    "ears.denied": "No microphone: it hears what you type",
    "empty.first": "Press the green button, then speak as if your phone had rung.",
    "empty.second": "Both sides appear here; struck words were never spoken. Cut in and it stops.",
    "typing.label": "Type instead of speaking",
    "typing.placeholder": "You may type too: it counts as your words",
    "typing.placeholder_only": "Type here: it counts as your words",
    "typing.send": "Say",
    "side.mine": "You",
    "side.theirs": "Bot",
    "side.me": "Me",
    "side.customer": "Customer",
    "side.speaks": "speaking",
    "side.muted": "muted",
    "call.begin": "Call",
    "call.end": "Hang up",
    "state.loading": "Getting ready",
    "state.idle": "Call",
    "state.calling": "Connecting",
    "state.up": "In the call",
    "state.ended": "Call again",
    "setup.script": "Script",
    "setup.contact": "The customer you play",
    "setup.ears": "Ears",
    "setup.ears_sound": "my voice",
    "setup.ears_text": "what I type",
    "setup.via": "Line",
    "setup.none": "No script can be called here; see the server's log.",
    "keys.title": "Keypad",
    "budget.title": "It spoke {ms} ms after you",
    "budget.opening": "It spoke {ms} ms after the answer",
    "budget.short": "{ms} ms",
    "budget.endpoint": "waiting for your end",
    "budget.recognise": "recognising",
    "budget.understand": "understanding",
    "budget.decide": "deciding",
    "budget.voice": "voice",
    "budget.network": "network",
    "note.interrupted": "interrupted",
    "note.silence": "silence, {s} s",
    "note.digit": "a key was pressed",
    "note.handover": "handed to a person",
    "ended.customer": "You hung up",
    "ended.agent": "Hung up",
    "ended.line_lost": "The line was lost",
    "ended.bad_data": "The line broke and was closed: {detail}",
    "ended.refused": "Not connected: {detail}",
    "ended.other": "The call is over",
    "ended.fault": "The server had a fault and closed the line",
    "ended.no_detail": "the server's log says why",
    "outcome.accepted": "Outcome: accepted",
    "outcome.declined": "Outcome: declined",
    "outcome.callback": "Outcome: call back later",
    "outcome.do_not_call": "Outcome: never call again",
    "outcome.transferred": "Outcome: to a person",
    "outcome.wrong_person": "Outcome: wrong person",
    "outcome.busy": "Outcome: busy",
    "outcome.no_answer": "Outcome: no answer",
    "outcome.voicemail": "Outcome: voicemail",
    "outcome.unreachable": "Outcome: unreachable",
    "outcome.hung_up": "Outcome: hung up midway",
    "outcome.completed": "Outcome: completed",
    "outcome.not_understood": "Outcome: not understood",
    "outcome.failed": "Outcome: a fault",
    "fault.microphone": "The microphone cannot be used, so type. To use it, allow it in the browser and open this page by https or on this machine.",
    "fault.server": "The server does not answer: is ./huashu talk still running?",
    "fault.refused": "Not now: {detail}",
    "fault.sound": "This browser plays no sound: {detail}",
    "soft.title": "Agent's phone",
    "soft.online": "Go on line",
    "soft.answer": "Answer",
    "soft.mute": "Mute",
    "soft.hang_up": "Hang up",
    "soft.offline": "Off line",
    "soft.waiting": "Waiting for a call",
    "soft.ringing": "Incoming call",
    "soft.talking": "In the call",
    "soft.no_ticket": "Open this phone from the agent's page: the link holds no ticket.",
    "soft.again": "Off line: open it again from the agent's page.",
    "soft.microphone": "The microphone cannot be used: allow it in the browser.",
  },
};

const STORED = "huashu.language";
let language = ["zh", "en"].includes(localStorage.getItem(STORED)) ? localStorage.getItem(STORED) : "zh";

/** The text of a key with its {values} filled in. An unknown key is a fault of ours: it throws. */
export function t(key, values = {}) {
  const text = TEXTS[language][key];
  if (text === undefined) throw new Error(`no text for '${key}' in ${language}`);
  return text.replace(/\{(\w+)\}/g, (mark, name) => (name in values ? String(values[name]) : mark));
}

/** The text of a key, or of another where there is none: for names that the server gives. */
export function either(key, other, values) {
  return t(TEXTS[language][key] === undefined ? other : key, values);
}

/** What the server gives in both languages: {zh, en}. */
export function own(given) {
  return given[language] || given.zh;
}

/** Fills every element that names its text; `button` switches the language and `show` draws the rest. */
export function inBothLanguages(button, show) {
  const all = () => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
    show();
  };
  button.addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    localStorage.setItem(STORED, language);
    all();
  });
  all();
}

export const LANGUAGES = TEXTS;
