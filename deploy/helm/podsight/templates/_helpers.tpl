{{/*
The labels that every object gets beside those in deploy/.
*/}}
{{- define "podsight.labels" -}}
app.kubernetes.io/part-of: podsight
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
The objects of a file of deploy/, as JSON: its namespace and its instance are the release's, and it bears the labels above.
Takes {root, file}. deploy/ is the source, so that kustomize and Helm cannot drift apart (docs/adr/0005).
*/}}
{{- define "podsight.objects" -}}
{{- $root := .root -}}
{{- $text := $root.Files.Get .file -}}
{{- if not $text }}{{ fail (printf "the chart has no file %s" .file) }}{{ end -}}
{{- $text = $text | replace "podsight-system" $root.Release.Namespace -}}
{{- $text = $text | replace "app.kubernetes.io/instance: podsight" (printf "app.kubernetes.io/instance: %s" $root.Release.Name) -}}
{{- $objects := list -}}
{{- range regexSplit "(?m)^---$" $text -1 -}}
{{- $object := fromYaml . -}}
{{- if $object.Error }}{{ fail (printf "%s: %s" $.file $object.Error) }}{{ end -}}
{{- $labels := include "podsight.labels" $root | fromYaml -}}
{{- $_ := set $object.metadata "labels" (merge (dict) $labels ($object.metadata.labels | default dict)) -}}
{{- if dig "spec" "template" "metadata" "labels" false $object -}}
{{- $pod := $object.spec.template.metadata -}}
{{- $_ := set $pod "labels" (merge (dict) (pick $labels "app.kubernetes.io/part-of" "app.kubernetes.io/version") $pod.labels) -}}
{{- end -}}
{{- $objects = append $objects $object -}}
{{- end -}}
{{- toJson $objects -}}
{{- end -}}

{{/*
The same as YAML, for what has no values. Takes {root, file}.
*/}}
{{- define "podsight.as-is" -}}
{{- range include "podsight.objects" . | fromJsonArray }}
---
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
An image's whole name. Takes {root, image}.
*/}}
{{- define "podsight.image" -}}
{{- $name := .image.repository -}}
{{- with .root.Values.image.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" .) $name }}{{ end -}}
{{- if .image.digest -}}
{{ $name }}@{{ .image.digest }}
{{- else -}}
{{ $name }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/*
Puts the values that both programs have into a workload. Takes {root, object, values} and changes the object.
*/}}
{{- define "podsight.workload" -}}
{{- $values := .values -}}
{{- $pod := .object.spec.template -}}
{{- $spec := $pod.spec -}}
{{- $container := first $spec.containers -}}
{{- $_ := set $container "image" (include "podsight.image" (dict "root" .root "image" $values.image)) -}}
{{- $_ := set $container "imagePullPolicy" .root.Values.image.pullPolicy -}}
{{- $_ := set $container "resources" $values.resources -}}
{{- $args := list -}}
{{- range $container.args -}}
{{- if hasPrefix "--log-format=" . -}}
{{- $args = append $args (printf "--log-format=%s" $values.log.format) -}}
{{- else -}}
{{- $args = append $args . -}}
{{- end -}}
{{- end -}}
{{- if ne $values.log.level .level }}{{ $args = append $args (printf "--log=%s" $values.log.level) }}{{ end -}}
{{- $_ := set $container "args" $args -}}
{{- with .root.Values.imagePullSecrets }}{{ $_ := set $spec "imagePullSecrets" . }}{{ end -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" -}}
{{- $value := get $values $key -}}
{{- if $value }}{{ $_ := set $spec $key $value }}{{ else }}{{ $_ := unset $spec $key }}{{ end -}}
{{- end -}}
{{- $_ := set $pod.metadata "labels" (merge (dict) $pod.metadata.labels $values.podLabels) -}}
{{- with $values.podAnnotations }}{{ $_ := set $pod.metadata "annotations" (merge (dict) . ($pod.metadata.annotations | default dict)) }}{{ end -}}
{{- end -}}

{{/*
A webhook configuration with the values that both have. Takes {root, file, failurePolicy, sideEffects}.
*/}}
{{- define "podsight.configuration" -}}
{{- $root := .root -}}
{{- $values := $root.Values.webhook -}}
{{- range include "podsight.objects" (pick . "root" "file") | fromJsonArray }}
{{- if eq $values.certificate.mode "cert-manager" }}
{{- $annotation := dict "cert-manager.io/inject-ca-from" (printf "%s/podsight-webhook" $root.Release.Namespace) }}
{{- $_ := set .metadata "annotations" (merge (dict) $annotation (.metadata.annotations | default dict)) }}
{{- end }}
{{- range .webhooks }}
{{- $_ := set . "failurePolicy" $.failurePolicy }}
{{- $_ := set . "sideEffects" $.sideEffects }}
{{- $_ := set . "timeoutSeconds" $values.timeoutSeconds }}
{{- $expressions := list }}
{{- range .namespaceSelector.matchExpressions }}
{{- if eq .key "kubernetes.io/metadata.name" }}
{{- $_ := set . "values" (append $values.excludedNamespaces $root.Release.Namespace | uniq) }}
{{- end }}
{{- $expressions = append $expressions . }}
{{- end }}
{{- $_ := set .namespaceSelector "matchExpressions" (concat $expressions $values.namespaceExpressions) }}
{{- if and (eq $values.certificate.mode "secret") $values.certificate.caBundle }}
{{- $_ := set .clientConfig "caBundle" $values.certificate.caBundle }}
{{- end }}
{{- end }}
---
{{ toYaml . }}
{{- end }}
{{- end -}}
