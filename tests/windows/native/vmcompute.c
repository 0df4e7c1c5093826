// A vmcompute.dll that forwards every call as one frame to 127.0.0.1:$LCOW_FORWARDER_PORT.
// Frame: u32 length of the rest, u32 call, u16 operation, u16 strings, u64 handle, u32 hresult,
// u32 notification type, then per string u32 length and UTF-8 (length 0xffffffff: null).
#define COBJMACROS
#include <winsock2.h>
#include <windows.h>
#include <objbase.h>
#include <stdlib.h>
#define EXPORT __declspec(dllexport) HRESULT WINAPI
#define NONE 0xffffffffu
typedef void(CALLBACK *Notify)(DWORD type, void *context, HRESULT status, PCWSTR data);
#pragma pack(push, 1)
typedef struct { UINT32 length, call; UINT16 operation, strings; UINT64 handle; UINT32 hresult, type; } Header;
#pragma pack(pop)
enum { ENUMERATE = 1, CREATE, OPEN, CLOSE, START, TERMINATE, PROPERTIES, MODIFY, REGISTER, UNREGISTER, SERVICE, GRANT, REVOKE, NOTIFICATION = 100 };
typedef struct Waiter { struct Waiter *next; UINT32 call; HANDLE done; Header header; char *body; } Waiter;
typedef struct Registration { struct Registration *next; UINT64 id, handle; Notify notify; void *context; int busy, dead; } Registration;
typedef struct Event { struct Event *next; Header header; char *body; } Event;
typedef struct Text { struct Text *next; void *memory; } Text;
static SOCKET peer = INVALID_SOCKET;
static Waiter *waiters;
static Registration *registrations;
static Event *events, **events_end = &events;
static Text *texts;
static UINT32 last_call;
static int lost, live_texts;
static UINT64 last_registration;
static CRITICAL_SECTION lock, sending;
static CONDITION_VARIABLE changed;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

// Counts the strings that the caller has not freed: a spy sees every CoTaskMemFree.
static HRESULT WINAPI spy_query(IMallocSpy *s, REFIID id, void **out) { (void)id; *out = s; return S_OK; }
static ULONG WINAPI spy_ref(IMallocSpy *s) { (void)s; return 2; }
static SIZE_T WINAPI spy_pre_alloc(IMallocSpy *s, SIZE_T n) { (void)s; return n; }
static void *WINAPI spy_post_alloc(IMallocSpy *s, void *p) { (void)s; return p; }
static void *WINAPI spy_pre_free(IMallocSpy *s, void *p, BOOL spied) {
  (void)s; (void)spied;
  EnterCriticalSection(&lock);
  for (Text **t = &texts; *t; t = &(*t)->next)
    if ((*t)->memory == p) { Text *gone = *t; *t = gone->next; free(gone); live_texts--; break; }
  LeaveCriticalSection(&lock);
  return p;
}
static void WINAPI spy_post_free(IMallocSpy *s, BOOL spied) { (void)s; (void)spied; }
static SIZE_T WINAPI spy_pre_realloc(IMallocSpy *s, void *p, SIZE_T n, void **q, BOOL spied) { (void)s; (void)spied; *q = p; return n; }
static void *WINAPI spy_post_realloc(IMallocSpy *s, void *p, BOOL spied) { (void)s; (void)spied; return p; }
static void *WINAPI spy_pre(IMallocSpy *s, void *p, BOOL spied) { (void)s; (void)spied; return p; }
static SIZE_T WINAPI spy_post_size(IMallocSpy *s, SIZE_T n, BOOL spied) { (void)s; (void)spied; return n; }
static int WINAPI spy_post_did(IMallocSpy *s, void *p, BOOL spied, int r) { (void)s; (void)p; (void)spied; return r; }
static void WINAPI spy_minimize(IMallocSpy *s) { (void)s; }
static IMallocSpyVtbl spy_table = { spy_query, spy_ref, spy_ref, spy_pre_alloc, spy_post_alloc, spy_pre_free, spy_post_free,
  spy_pre_realloc, spy_post_realloc, spy_pre, spy_post_size, spy_pre, spy_post_did, spy_minimize, spy_minimize };
static IMallocSpy spy = { &spy_table };

static int receive(char *to, UINT32 size) {
  while (size > 0) { int n = recv(peer, to, size, 0); if (n <= 0) return 0; to += n; size -= n; }
  return 1;
}
// Copies string `index` of a body; the caller frees it with CoTaskMemFree.
static PWSTR text(Header *header, char *body, int index, int counted) {
  for (int i = 0; i < header->strings; i++) {
    UINT32 size; memcpy(&size, body, 4); body += 4;
    if (i < index) { if (size != NONE) body += size; continue; }
    if (size == NONE) return NULL;
    int units = size ? MultiByteToWideChar(CP_UTF8, 0, body, size, 0, 0) : 0;
    PWSTR copy = CoTaskMemAlloc((units + 1) * sizeof(WCHAR));
    if (units) MultiByteToWideChar(CP_UTF8, 0, body, size, copy, units);
    copy[units] = 0;
    if (counted) {
      Text *t = malloc(sizeof *t); t->memory = copy;
      EnterCriticalSection(&lock); t->next = texts; texts = t; live_texts++; LeaveCriticalSection(&lock);
    }
    return copy;
  }
  return NULL;
}
static DWORD WINAPI read_replies(void *unused) {
  (void)unused;
  Header header;
  while (receive((char *)&header, sizeof header)) {
    UINT32 size = header.length + 4 - sizeof header;
    char *body = malloc(size + 1);
    if (!receive(body, size)) { free(body); break; }
    EnterCriticalSection(&lock);
    if (header.operation == NOTIFICATION) {
      Event *e = calloc(1, sizeof *e); e->header = header; e->body = body;
      *events_end = e; events_end = &e->next; WakeAllConditionVariable(&changed);
    } else {
      Waiter **w = &waiters;
      while (*w && (*w)->call != header.call) w = &(*w)->next;
      if (*w) { Waiter *found = *w; *w = found->next; found->header = header; found->body = body; SetEvent(found->done); }
      else free(body);
    }
    LeaveCriticalSection(&lock);
  }
  EnterCriticalSection(&lock);
  lost = 1;
  for (Waiter *w = waiters, *next; w; w = next) { next = w->next; SetEvent(w->done); }
  waiters = NULL;
  LeaveCriticalSection(&lock);
  return 0;
}
// A thread of its own: a caller may be inside a call while a notification is due.
static DWORD WINAPI deliver(void *unused) {
  (void)unused;
  EnterCriticalSection(&lock);
  for (;;) {
    while (!events) SleepConditionVariableCS(&changed, &lock, INFINITE);
    Event *e = events; events = e->next; if (!events) events_end = &events;
    Registration *r = registrations;
    while (r && r->id != e->header.handle) r = r->next;
    if (r && !r->dead) {
      r->busy = 1; LeaveCriticalSection(&lock);
      PWSTR data = text(&e->header, e->body, 0, 0);
      r->notify(e->header.type, r->context, (HRESULT)e->header.hresult, data);
      CoTaskMemFree(data);
      EnterCriticalSection(&lock); r->busy = 0; WakeAllConditionVariable(&changed);
    }
    free(e->body); free(e);
  }
  return 0;
}
static BOOL CALLBACK start(PINIT_ONCE o, PVOID p, PVOID *c) {
  (void)o; (void)p; (void)c;
  WSADATA data; WSAStartup(0x202, &data);
  InitializeCriticalSection(&lock); InitializeCriticalSection(&sending); InitializeConditionVariable(&changed);
  CoRegisterMallocSpy(&spy);
  char port[16] = ""; GetEnvironmentVariableA("LCOW_FORWARDER_PORT", port, sizeof port);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1; setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on);
  if (connect(peer, (struct sockaddr *)&at, sizeof at)) { lost = 1; return TRUE; }
  CreateThread(0, 0, read_replies, 0, 0, 0);
  CreateThread(0, 0, deliver, 0, 0, 0);
  return TRUE;
}
static HRESULT call(int operation, UINT64 handle, int count, PCWSTR *in, UINT64 *out, PWSTR *value, PWSTR *result) {
  InitOnceExecuteOnce(&once, start, 0, 0);
  int sizes[2] = { 0, 0 }, size = sizeof(Header);
  for (int i = 0; i < count; i++) { sizes[i] = WideCharToMultiByte(CP_UTF8, 0, in[i], -1, 0, 0, 0, 0) - 1; size += 4 + sizes[i]; }
  char *frame = malloc(size + 1), *p = frame + sizeof(Header);
  for (int i = 0; i < count; i++) { memcpy(p, &sizes[i], 4); p += 4; WideCharToMultiByte(CP_UTF8, 0, in[i], -1, p, sizes[i] + 1, 0, 0); p += sizes[i]; }
  Waiter w = { .done = CreateEventW(0, 0, 0, 0) };
  EnterCriticalSection(&lock);
  if (lost) { LeaveCriticalSection(&lock); CloseHandle(w.done); free(frame); return HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE); }
  w.call = ++last_call; w.next = waiters; waiters = &w;
  LeaveCriticalSection(&lock);
  *(Header *)frame = (Header){ size - 4, w.call, operation, count, handle, 0, 0 };
  EnterCriticalSection(&sending); send(peer, frame, size, 0); LeaveCriticalSection(&sending);
  free(frame);
  WaitForSingleObject(w.done, INFINITE); CloseHandle(w.done);
  if (!w.body) return HRESULT_FROM_WIN32(RPC_S_CALL_FAILED);
  if (out) *out = w.header.handle;
  if (value) *value = text(&w.header, w.body, 0, 1);
  if (result) *result = text(&w.header, w.body, 1, 1);
  free(w.body);
  return (HRESULT)w.header.hresult;
}
#define TEXTS(...) (PCWSTR[]){ __VA_ARGS__ }
EXPORT HcsEnumerateComputeSystems(PCWSTR q, PWSTR *v, PWSTR *r) { return call(ENUMERATE, 0, 1, TEXTS(q), 0, v, r); }
EXPORT HcsCreateComputeSystem(PCWSTR id, PCWSTR c, HANDLE i, UINT64 *h, PWSTR *r) { (void)i; return call(CREATE, 0, 2, TEXTS(id, c), h, 0, r); }
EXPORT HcsOpenComputeSystem(PCWSTR id, UINT64 *h, PWSTR *r) { return call(OPEN, 0, 1, TEXTS(id), h, 0, r); }
EXPORT HcsCloseComputeSystem(UINT64 h) { return call(CLOSE, h, 0, 0, 0, 0, 0); }
EXPORT HcsStartComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return call(START, h, 1, TEXTS(o), 0, 0, r); }
EXPORT HcsTerminateComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return call(TERMINATE, h, 1, TEXTS(o), 0, 0, r); }
EXPORT HcsGetComputeSystemProperties(UINT64 h, PCWSTR q, PWSTR *v, PWSTR *r) { return call(PROPERTIES, h, 1, TEXTS(q), 0, v, r); }
EXPORT HcsModifyComputeSystem(UINT64 h, PCWSTR c, PWSTR *r) { return call(MODIFY, h, 1, TEXTS(c), 0, 0, r); }
EXPORT HcsGetServiceProperties(PCWSTR q, PWSTR *v, PWSTR *r) { return call(SERVICE, 0, 1, TEXTS(q), 0, v, r); }
EXPORT GrantVmAccess(PCWSTR vm, PCWSTR path) { return call(GRANT, 0, 2, TEXTS(vm, path), 0, 0, 0); }
#ifndef WITHOUT_REVOKE
EXPORT RevokeVmAccess(PCWSTR vm, PCWSTR path) { return call(REVOKE, 0, 2, TEXTS(vm, path), 0, 0, 0); }
#endif
EXPORT HcsRegisterComputeSystemCallback(UINT64 h, Notify notify, void *context, UINT64 *out) {
  InitOnceExecuteOnce(&once, start, 0, 0);
  Registration *r = calloc(1, sizeof *r);
  r->notify = notify; r->context = context;
  EnterCriticalSection(&lock); r->id = ++last_registration; r->next = registrations; registrations = r; LeaveCriticalSection(&lock);
  WCHAR id[24]; _ui64tow(r->id, id, 10);
  *out = r->id;
  HRESULT hr = call(REGISTER, h, 1, TEXTS(id), &r->handle, 0, 0);
  if (FAILED(hr)) { r->dead = 1; *out = 0; }
  return hr;
}
// Like the real one: returns when no invocation is under way.
EXPORT HcsUnregisterComputeSystemCallback(UINT64 id) {
  InitOnceExecuteOnce(&once, start, 0, 0);
  EnterCriticalSection(&lock);
  Registration *r = registrations;
  while (r && (r->id != id || r->dead)) r = r->next;
  if (r) { r->dead = 1; while (r->busy) SleepConditionVariableCS(&changed, &lock, INFINITE); }
  LeaveCriticalSection(&lock);
  return r ? call(UNREGISTER, r->handle, 0, 0, 0, 0, 0) : E_HANDLE;
}
__declspec(dllexport) int WINAPI FakeLiveStrings(void) { return live_texts; }
