{{- define "modelyard.store.uri" -}}
{{- .Values.store.uri | default "s3://modelyard" -}}
{{- end -}}

{{- define "modelyard.store.endpoint" -}}
{{- if .Values.store.embedded.enabled -}}
http://{{ include "modelyard.store.fullname" . }}.{{ .Release.Namespace }}.svc:8333
{{- else -}}
{{- .Values.store.endpoint -}}
{{- end -}}
{{- end -}}

{{/* Empty: no Secret, the pods' own identity. */}}
{{- define "modelyard.store.secret" -}}
{{- .Values.store.existingSecret | default (ternary "modelyard-store" "" .Values.store.embedded.enabled) -}}
{{- end -}}

{{/* The bucket of store.uri comes first, then the others. */}}
{{- define "modelyard.store.buckets" -}}
{{- $bucket := include "modelyard.store.uri" . | trimPrefix "s3://" | splitList "/" | first -}}
{{- prepend .Values.store.embedded.buckets $bucket | uniq | join "," -}}
{{- end -}}

{{/* What the schema cannot say: values that contradict each other. */}}
{{- define "modelyard.store.check" -}}
{{- if and .Values.store.embedded.enabled .Values.store.endpoint -}}
{{- fail "store.endpoint is the URL of an external store, but store.embedded.enabled is true: set store.embedded.enabled=false, or remove store.endpoint" -}}
{{- end -}}
{{- if not (or .Values.store.embedded.enabled .Values.store.uri) -}}
{{- fail "store.embedded.enabled is false and store.uri is empty: set store.uri to s3://<bucket> of the store to use" -}}
{{- end -}}
{{- end -}}
