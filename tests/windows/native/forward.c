#include "forward.h"
#define CALL_TEXTS 4
#define MARK_SIZE 16
#define LARGE_BLOCK 0x100000 // more than any heap keeps
typedef struct Waiter { struct Waiter *next; UINT32 call; HANDLE done; Frame *reply; } Waiter;
typedef struct Text { struct Text *next; void *memory; SIZE_T size; UINT64 mark[MARK_SIZE / 8]; } Text;
CRITICAL_SECTION lock;
static CRITICAL_SECTION sending;
static CONDITION_VARIABLE changed;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static SOCKET peer = INVALID_SOCKET;
static Waiter *waiters;
static Receiver *receivers;
static Frame *events, **events_end = &events;
static Text *texts;
static UINT32 last_call;
static UINT64 last_receiver = 0x200000000, last_text; // handles are wider than 32 bits
static int lost;

// Counts the strings that the caller has not freed. Nobody tells a DLL of a LocalFree, and only one DLL of a process of
// a CoTaskMemFree; but both free from the process heap, and the heap gives a large block back to the system at once. So a
// counted string gets a large block, and lives while there is memory at its address with its mark at the end. (A look
// into the heap itself is not safe: it may follow pointers that a freed block once held.)
static int is_live(Text *text) {
  char *mark = (char *)text->memory + text->size - MARK_SIZE;
  MEMORY_BASIC_INFORMATION at;
  return VirtualQuery(mark, &at, sizeof at) && at.State == MEM_COMMIT && at.Protect == PAGE_READWRITE
    && (char *)at.BaseAddress + at.RegionSize >= mark + MARK_SIZE && !memcmp(mark, text->mark, MARK_SIZE);
}
__declspec(dllexport) int WINAPI FakeLiveStrings(void) {
  begin();
  int live = 0;
  EnterCriticalSection(&lock);
  for (Text **t = &texts; *t;) {
    if (is_live(*t)) { live++; t = &(*t)->next; } else { Text *gone = *t; *t = gone->next; free(gone); }
  }
  LeaveCriticalSection(&lock);
  return live;
}
static void count(void *memory, SIZE_T size) {
  Text *text = calloc(1, sizeof *text); text->memory = memory; text->size = size;
  EnterCriticalSection(&lock);
  text->mark[0] = 0x7478657477617277; text->mark[1] = ++last_text;
  memcpy((char *)memory + size - MARK_SIZE, text->mark, MARK_SIZE);
  text->next = texts; texts = text;
  LeaveCriticalSection(&lock);
}
PWSTR text_of(Frame *frame, UINT32 index, int counted) {
  const char *at = frame->body;
  for (UINT32 i = 0; i < frame->header.texts; i++) {
    UINT32 size; memcpy(&size, at, 4); at += 4;
    if (i < index) { if (size != NO_TEXT) at += size; continue; }
    if (size == NO_TEXT) return NULL;
    int units = size ? MultiByteToWideChar(CP_UTF8, 0, at, size, 0, 0) : 0;
    SIZE_T bytes = (units + 1) * sizeof(WCHAR) + MARK_SIZE;
    if (counted && bytes < LARGE_BLOCK) bytes = LARGE_BLOCK;
    PWSTR copy = library_alloc(bytes);
    if (units) MultiByteToWideChar(CP_UTF8, 0, at, size, copy, units);
    copy[units] = 0;
    if (counted) count(copy, bytes);
    return copy;
  }
  return NULL;
}

Receiver *receiver_add(SIZE_T size, UINT64 system, void *function, void *context) {
  begin();
  Receiver *r = calloc(1, size);
  r->system = system; r->function = function; r->context = context;
  EnterCriticalSection(&lock);
  r->id = ++last_receiver; r->next = receivers; receivers = r;
  LeaveCriticalSection(&lock);
  return r;
}
Receiver *receiver_find(UINT64 id) {
  Receiver *r = receivers;
  while (r && r->id != id) r = r->next;
  return r && !r->dead ? r : NULL;
}
Receiver *receiver_of(UINT64 system) {
  Receiver *r = receivers;
  while (r && (r->system != system || r->dead)) r = r->next;
  return r;
}
void receiver_end(Receiver *receiver, int drain) {
  receiver->dead = 1;
  while (drain && receiver->busy) SleepConditionVariableCS(&changed, &lock, INFINITE);
}

static int receive(void *to, UINT32 size) {
  for (char *at = to; size > 0;) { int n = recv(peer, at, size, 0); if (n <= 0) return 0; at += n; size -= n; }
  return 1;
}
static Frame *receive_frame(void) {
  Header header;
  if (!receive(&header, sizeof header)) return NULL;
  UINT32 size = header.length + 4 - sizeof header;
  Frame *frame = calloc(1, sizeof *frame + size);
  frame->header = header;
  if (receive(frame->body, size)) return frame;
  free(frame);
  return NULL;
}
static void arrived(Frame *event) {
  Receiver *r = receiver_find(event->header.context);
  if (!r || !library_arrived(r, event)) { free(event); return; }
  *events_end = event; events_end = &event->next;
  WakeAllConditionVariable(&changed);
}
static void answer(Frame *reply) {
  Waiter **w = &waiters;
  while (*w && (*w)->call != reply->header.call) w = &(*w)->next;
  if (!*w) { free(reply); return; }
  Waiter *found = *w; *w = found->next;
  found->reply = reply;
  SetEvent(found->done);
}
static DWORD WINAPI read_frames(void *unused) {
  (void)unused;
  for (Frame *frame; (frame = receive_frame());) {
    EnterCriticalSection(&lock);
    if (frame->header.call) answer(frame); else arrived(frame);
    LeaveCriticalSection(&lock);
  }
  EnterCriticalSection(&lock);
  lost = 1;
  for (Waiter *w = waiters, *next; w; w = next) { next = w->next; SetEvent(w->done); }
  waiters = NULL;
  for (Receiver *r = receivers; r; r = r->next) {
    Frame *event = calloc(1, sizeof *event);
    event->header = (Header){ .length = sizeof(Header) - 4, .hresult = HRESULT_FROM_WIN32(RPC_S_CALL_FAILED), .number = LOST, .context = r->id };
    arrived(event);
  }
  LeaveCriticalSection(&lock);
  return 0;
}
// A thread of its own: a caller may be inside a call while an event is due.
static DWORD WINAPI deliver_events(void *unused) {
  (void)unused;
  EnterCriticalSection(&lock);
  for (;;) {
    while (!events) SleepConditionVariableCS(&changed, &lock, INFINITE);
    Frame *event = events; events = event->next;
    if (!events) events_end = &events;
    Receiver *r = receiver_find(event->header.context);
    if (r) {
      r->busy = 1;
      LeaveCriticalSection(&lock);
      PWSTR data = text_of(event, 0, 0);
      library_deliver(r, &event->header, data);
      if (data) HeapFree(GetProcessHeap(), 0, data);
      EnterCriticalSection(&lock);
      r->busy = 0;
      WakeAllConditionVariable(&changed);
    }
    free(event);
  }
  return 0;
}

static void send_frame(UINT32 call, const char *function, const Call *c) {
  char *names[CALL_TEXTS] = { (char *)function };
  int sizes[CALL_TEXTS] = { strlen(function) }, size = sizeof(Header) + 4 + sizes[0];
  for (int i = 1; i < CALL_TEXTS; i++, size += 4) {
    PCWSTR text = c->texts[i - 1];
    if (!text) { sizes[i] = -1; continue; }
    sizes[i] = WideCharToMultiByte(CP_UTF8, 0, text, -1, 0, 0, 0, 0) - 1;
    names[i] = malloc(sizes[i] + 1);
    WideCharToMultiByte(CP_UTF8, 0, text, -1, names[i], sizes[i] + 1, 0, 0);
    size += sizes[i];
  }
  char *frame = malloc(size), *at = frame + sizeof(Header);
  *(Header *)frame = (Header){ size - 4, call, 0, c->number, c->handle, c->context, CALL_TEXTS };
  for (int i = 0; i < CALL_TEXTS; i++) {
    memcpy(at, &sizes[i], 4); at += 4; // -1 is NO_TEXT
    if (sizes[i] > 0) { memcpy(at, names[i], sizes[i]); at += sizes[i]; }
    if (i > 0) free(names[i]);
  }
  EnterCriticalSection(&sending); send(peer, frame, size, 0); LeaveCriticalSection(&sending);
  free(frame);
}
static BOOL CALLBACK connect_forwarder(PINIT_ONCE o, PVOID p, PVOID *c) {
  (void)o; (void)p; (void)c;
  WSADATA data; WSAStartup(0x202, &data);
  InitializeCriticalSection(&lock); InitializeCriticalSection(&sending); InitializeConditionVariable(&changed);
  char port[16] = ""; GetEnvironmentVariableA("LCOW_FORWARDER_PORT", port, sizeof port);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1; setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on);
  SetHandleInformation((HANDLE)peer, HANDLE_FLAG_INHERIT, 0); // its end is the end of this process
  if (connect(peer, (struct sockaddr *)&at, sizeof at)) { lost = 1; return TRUE; }
  send_frame(0, library_name, &(Call){ 0 });
  CreateThread(0, 0, read_frames, 0, 0, 0);
  CreateThread(0, 0, deliver_events, 0, 0, 0);
  return TRUE;
}
void begin(void) { InitOnceExecuteOnce(&once, connect_forwarder, 0, 0); }

Frame *exchange(const char *function, Call call) {
  begin();
  Waiter w = { .done = CreateEventW(0, 0, 0, 0) };
  EnterCriticalSection(&lock);
  int is_lost = lost;
  if (!is_lost) { w.call = ++last_call; w.next = waiters; waiters = &w; }
  LeaveCriticalSection(&lock);
  if (!is_lost) { send_frame(w.call, function, &call); WaitForSingleObject(w.done, INFINITE); }
  CloseHandle(w.done);
  return w.reply;
}
HRESULT forward(const char *function, Call call) {
  if (call.value) *call.value = NULL;
  if (call.result) *call.result = NULL;
  Frame *reply = exchange(function, call);
  if (!reply) return HRESULT_FROM_WIN32(RPC_S_CALL_FAILED);
  if (call.opened) *call.opened = reply->header.handle;
  if (call.result) *call.result = text_of(reply, 0, 1);
  if (call.value) *call.value = text_of(reply, 1, 1);
  HRESULT hr = (HRESULT)reply->header.hresult;
  free(reply);
  return hr;
}
