// A vmcompute.dll whose calls a forwarder answers; see forward.h.
#include "forward.h"
#define SERVICE_DISCONNECT 0x01000000
typedef void(CALLBACK *Notify)(DWORD type, void *context, HRESULT status, PCWSTR data);
const char library_name[] = "vmcompute.dll";
void *library_alloc(SIZE_T size) { return CoTaskMemAlloc(size); }
int library_arrived(Receiver *receiver, Frame *event) { (void)receiver; (void)event; return 1; }
void library_deliver(Receiver *receiver, Header *event, PWSTR data) {
  int is_lost = event->number == LOST;
  ((Notify)receiver->function)(is_lost ? SERVICE_DISCONNECT : event->number, receiver->context,
    is_lost ? S_OK : (HRESULT)event->hresult, data);
}

EXPORT HcsEnumerateComputeSystems(PCWSTR q, PWSTR *v, PWSTR *r) { return FORWARD(.texts = { q }, .value = v, .result = r); }
EXPORT HcsCreateComputeSystem(PCWSTR id, PCWSTR c, HANDLE i, UINT64 *h, PWSTR *r) { (void)i; return FORWARD(.texts = { id, c }, .opened = h, .result = r); }
EXPORT HcsOpenComputeSystem(PCWSTR id, UINT64 *h, PWSTR *r) { return FORWARD(.texts = { id }, .opened = h, .result = r); }
EXPORT HcsCloseComputeSystem(UINT64 h) { return FORWARD(.handle = h); }
EXPORT HcsStartComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return FORWARD(.handle = h, .texts = { o }, .result = r); }
EXPORT HcsShutdownComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return FORWARD(.handle = h, .texts = { o }, .result = r); }
EXPORT HcsTerminateComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return FORWARD(.handle = h, .texts = { o }, .result = r); }
EXPORT HcsPauseComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return FORWARD(.handle = h, .texts = { o }, .result = r); }
EXPORT HcsResumeComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return FORWARD(.handle = h, .texts = { o }, .result = r); }
EXPORT HcsSaveComputeSystem(UINT64 h, PCWSTR o, PWSTR *r) { return FORWARD(.handle = h, .texts = { o }, .result = r); }
EXPORT HcsGetComputeSystemProperties(UINT64 h, PCWSTR q, PWSTR *v, PWSTR *r) { return FORWARD(.handle = h, .texts = { q }, .value = v, .result = r); }
EXPORT HcsModifyComputeSystem(UINT64 h, PCWSTR c, PWSTR *r) { return FORWARD(.handle = h, .texts = { c }, .result = r); }
EXPORT HcsGetServiceProperties(PCWSTR q, PWSTR *v, PWSTR *r) { return FORWARD(.texts = { q }, .value = v, .result = r); }
EXPORT GrantVmAccess(PCWSTR vm, PCWSTR path) { return FORWARD(.texts = { vm, path }); }
#ifndef WITHOUT_REVOKE
EXPORT RevokeVmAccess(PCWSTR vm, PCWSTR path) { return FORWARD(.texts = { vm, path }); }
#endif
EXPORT HcsRegisterComputeSystemCallback(UINT64 h, Notify notify, void *context, UINT64 *out) {
  Receiver *made = receiver_add(sizeof *made, h, notify, context);
  *out = made->id;
  HRESULT hr = FORWARD(.handle = h, .context = made->id);
  if (FAILED(hr)) { made->dead = 1; *out = 0; }
  return hr;
}
// Like the real one: returns when no invocation is under way.
EXPORT HcsUnregisterComputeSystemCallback(UINT64 id) {
  begin();
  EnterCriticalSection(&lock);
  Receiver *found = receiver_find(id);
  if (found) receiver_end(found, 1);
  LeaveCriticalSection(&lock);
  return found ? FORWARD(.handle = found->system, .context = id) : E_HANDLE;
}
