// A computecore.dll whose calls a forwarder answers; see forward.h. A function that takes an operation returns at once;
// its result comes later, as an event for the operation.
#include "forward.h"
#define OPERATION_NOT_STARTED ((HRESULT)0x80370115)
#define OPERATION_ALREADY_STARTED ((HRESULT)0x80370116)
#define OPERATION_PENDING ((HRESULT)0x80370117)
#define OPERATION_TIMEOUT ((HRESULT)0x80370118)
#define CALLBACK_ALREADY_SET ((HRESULT)0x80370119)
#define SERVICE_DISCONNECT 0x02000000
typedef void(CALLBACK *Completion)(UINT64 operation, void *context);
typedef struct { UINT32 type; PCWSTR data; UINT64 operation; } Event; // HCS_EVENT
typedef void(CALLBACK *Callback)(Event *event, void *context);
enum { IDLE, PENDING, DONE };
typedef struct { Receiver receiver; int state; HANDLE done; Frame *result; } Operation;
const char library_name[] = "computecore.dll";
// Public documentation has its strings freed with LocalFree.
void *library_alloc(SIZE_T size) { return LocalAlloc(LMEM_FIXED, size); }

// The lock is held.
static void complete(Operation *op, Frame *result) { op->state = DONE; op->result = result; SetEvent(op->done); }
int library_arrived(Receiver *receiver, Frame *event) {
  Operation *op = (Operation *)receiver;
  if (receiver->system) return 1;
  if (op->state != PENDING) return 0; // a loss after the result, or before the call
  SIZE_T size = sizeof *event + event->header.length + 4 - sizeof event->header;
  complete(op, memcpy(malloc(size), event, size)); // the event itself is freed once it is delivered
  return receiver->function != NULL;
}
void library_deliver(Receiver *receiver, Header *event, PWSTR data) {
  if (!receiver->system) { ((Completion)receiver->function)(receiver->id, receiver->context); return; }
  Event e = { event->number == LOST ? SERVICE_DISCONNECT : event->number, data, 0 };
  ((Callback)receiver->function)(&e, receiver->context);
}

// The lock is held.
static Operation *operation(UINT64 id) {
  Receiver *r = receiver_find(id);
  return r && !r->system ? (Operation *)r : NULL;
}
static HRESULT result_of(Operation *op, PWSTR *result) {
  HRESULT hr = E_HANDLE;
  EnterCriticalSection(&lock);
  if (op && !op->receiver.dead) {
    hr = op->state == IDLE ? OPERATION_NOT_STARTED : op->state == PENDING ? OPERATION_PENDING : (HRESULT)op->result->header.hresult;
    if (op->state == DONE && result) *result = text_of(op->result, 0, 1);
  }
  LeaveCriticalSection(&lock);
  return hr;
}
// Starts an operation. A call that fails at once completes it, without its callback.
static HRESULT operate(const char *function, UINT64 id, Call call) {
  begin();
  EnterCriticalSection(&lock);
  Operation *op = operation(id);
  HRESULT hr = !op ? E_HANDLE : op->state != IDLE ? OPERATION_ALREADY_STARTED : S_OK;
  if (hr == S_OK) op->state = PENDING;
  LeaveCriticalSection(&lock);
  if (hr != S_OK) return hr;
  call.context = id;
  Frame *reply = exchange(function, call);
  if (!reply) return HRESULT_FROM_WIN32(RPC_S_CALL_FAILED); // the loss completes the operation
  hr = (HRESULT)reply->header.hresult;
  if (call.opened) *call.opened = reply->header.handle;
  EnterCriticalSection(&lock);
  if (FAILED(hr) && op->state == PENDING && !op->receiver.dead) complete(op, reply); else free(reply);
  LeaveCriticalSection(&lock);
  return hr;
}
#define OPERATE(id, ...) operate(__func__, id, (Call){ __VA_ARGS__ })

__declspec(dllexport) UINT64 WINAPI HcsCreateOperation(void *context, Completion callback) {
  Operation *op = (Operation *)receiver_add(sizeof *op, 0, callback, context);
  op->done = CreateEventW(0, TRUE, FALSE, 0);
  if (SUCCEEDED(FORWARD(.context = op->receiver.id))) return op->receiver.id;
  op->receiver.dead = 1;
  SetLastError(RPC_S_CALL_FAILED);
  return 0;
}
__declspec(dllexport) void WINAPI HcsCloseOperation(UINT64 id) {
  begin();
  EnterCriticalSection(&lock);
  Operation *op = operation(id);
  // Not drained: a callback may close its own operation.
  if (op) { receiver_end(&op->receiver, 0); free(op->result); op->result = NULL; SetEvent(op->done); }
  LeaveCriticalSection(&lock);
  if (op) FORWARD(.context = id);
}
EXPORT HcsGetOperationResult(UINT64 id, PWSTR *result) {
  begin();
  if (result) *result = NULL;
  EnterCriticalSection(&lock); Operation *op = operation(id); LeaveCriticalSection(&lock);
  return result_of(op, result);
}
EXPORT HcsWaitForOperationResult(UINT64 id, DWORD milliseconds, PWSTR *result) {
  begin();
  if (result) *result = NULL;
  EnterCriticalSection(&lock);
  Operation *op = operation(id);
  int waits = op && op->state == PENDING;
  LeaveCriticalSection(&lock);
  if (waits && WaitForSingleObject(op->done, milliseconds) == WAIT_TIMEOUT) return OPERATION_TIMEOUT;
  return result_of(op, result);
}
EXPORT HcsAddResourceToOperation(UINT64 id, UINT32 type, PCWSTR uri, HANDLE handle) {
  begin();
  EnterCriticalSection(&lock);
  Operation *op = operation(id);
  HRESULT hr = !op ? E_HANDLE : op->state != IDLE ? OPERATION_ALREADY_STARTED : S_OK;
  LeaveCriticalSection(&lock);
  return FAILED(hr) ? hr : FORWARD(.context = id, .number = type, .handle = (UINT64)handle, .texts = { uri });
}
EXPORT HcsCancelOperation(UINT64 id) { (void)id; return E_NOTIMPL; }

EXPORT HcsEnumerateComputeSystems(PCWSTR q, UINT64 op) { return OPERATE(op, .texts = { q }); }
EXPORT HcsGetServiceProperties(PCWSTR q, PWSTR *r) { return FORWARD(.texts = { q }, .result = r); }
EXPORT HcsCreateComputeSystem(PCWSTR id, PCWSTR c, UINT64 op, void *security, UINT64 *system) {
  (void)security;
  return OPERATE(op, .texts = { id, c }, .opened = system);
}
EXPORT HcsOpenComputeSystem(PCWSTR id, DWORD access, UINT64 *system) { return FORWARD(.texts = { id }, .number = access, .opened = system); }
EXPORT HcsStartComputeSystem(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsShutDownComputeSystem(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsTerminateComputeSystem(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsPauseComputeSystem(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsResumeComputeSystem(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsSaveComputeSystem(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsGetComputeSystemProperties(UINT64 s, UINT64 op, PCWSTR q) { return OPERATE(op, .handle = s, .texts = { q }); }
EXPORT HcsModifyComputeSystem(UINT64 s, UINT64 op, PCWSTR c, HANDLE identity) { (void)identity; return OPERATE(op, .handle = s, .texts = { c }); }
EXPORT HcsInitializeLiveMigrationOnSource(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsStartLiveMigrationOnSource(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsStartLiveMigrationTransfer(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsFinalizeLiveMigration(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }
EXPORT HcsCancelLiveMigration(UINT64 s, UINT64 op, PCWSTR o) { return OPERATE(op, .handle = s, .texts = { o }); }

EXPORT HcsSetComputeSystemCallback(UINT64 s, DWORD options, void *context, Callback callback) {
  begin();
  EnterCriticalSection(&lock);
  Receiver *there = receiver_of(s);
  if (there && !callback) receiver_end(there, 1);
  LeaveCriticalSection(&lock);
  if (!callback) return S_OK;
  if (there) return CALLBACK_ALREADY_SET;
  Receiver *made = receiver_add(sizeof *made, s, callback, context);
  HRESULT hr = FORWARD(.handle = s, .context = made->id, .number = options);
  if (FAILED(hr)) made->dead = 1;
  return hr;
}
// Like the real one: returns when no invocation is under way, and no event comes any more.
__declspec(dllexport) void WINAPI HcsCloseComputeSystem(UINT64 s) {
  begin();
  EnterCriticalSection(&lock);
  Receiver *there = receiver_of(s);
  if (there) receiver_end(there, 1);
  LeaveCriticalSection(&lock);
  FORWARD(.handle = s);
}
