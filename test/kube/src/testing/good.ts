/** A small rack that every policy is content with, for tests that break one thing at a time. */
export const good = `
apiVersion: v1
kind: Namespace
metadata:
  name: skolo
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/enforce-version: v1.32
    pod-security.kubernetes.io/audit: restricted
    pod-security.kubernetes.io/audit-version: latest
    pod-security.kubernetes.io/warn: restricted
    pod-security.kubernetes.io/warn-version: latest
---
apiVersion: v1
kind: Namespace
metadata:
  name: skolo-node
  labels:
    pod-security.kubernetes.io/enforce: privileged
    pod-security.kubernetes.io/enforce-version: v1.32
    pod-security.kubernetes.io/audit: privileged
    pod-security.kubernetes.io/audit-version: latest
    pod-security.kubernetes.io/warn: privileged
    pod-security.kubernetes.io/warn-version: latest
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: default-deny, namespace: skolo }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: default-deny, namespace: skolo-node }
spec: { podSelector: {}, policyTypes: [Ingress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: metrics, namespace: skolo }
spec:
  podSelector: { matchLabels: { app.kubernetes.io/name: router-backup } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: { matchLabels: { app.kubernetes.io/name: grafana } } }]
      ports: [{ port: metrics }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: to-each-other, namespace: skolo }
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{ to: [{ podSelector: {} }] }]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: skolo-local }
provisioner: kubernetes.io/no-provisioner
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: router-backup }
spec:
  storageClassName: skolo-local
  claimRef: { namespace: skolo, name: router-backup }
  local: { path: /var/lib/skolo/router-backup }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: router-backup, namespace: skolo }
spec: { storageClassName: skolo-local, volumeName: router-backup }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: rack, namespace: skolo }
data: { rack.yaml: "logins: { switches: { password: secrets/switch } }" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: skolo }
data:
  settings.yaml: "basic_auth: { username: ann, password_file: /etc/password }"
  targets: "router-backup-metrics.skolo.svc:20011"
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: router-backup, namespace: skolo }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: router-backup, namespace: skolo }
spec:
  selector: { matchLabels: { app.kubernetes.io/name: router-backup } }
  template:
    metadata: { labels: { app.kubernetes.io/name: router-backup } }
    spec:
      nodeSelector: { node-restriction.kubernetes.io/skolo-jumphost: "true" }
      tolerations:
        - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute }
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute }
        - { operator: Exists, effect: NoSchedule }
      priorityClassName: system-cluster-critical
      serviceAccountName: router-backup
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: { type: RuntimeDefault }
        sysctls: [{ name: net.ipv4.ping_group_range, value: "0 1" }]
      containers:
        - name: router-backup
          image: registry.example.com/skolo/router-backup:2026-11-20T22_40_05Z-ann-295cca0-clean
          imagePullPolicy: IfNotPresent
          terminationMessagePolicy: FallbackToLogsOnError
          env: [{ name: SKOLO_LOG_LEVEL, value: debug }]
          ports: [{ name: http, containerPort: 8003 }, { name: metrics, containerPort: 20011 }]
          startupProbe: { httpGet: { path: /healthz, port: metrics } }
          livenessProbe: { httpGet: { path: /healthz, port: metrics }, periodSeconds: 10 }
          readinessProbe: { httpGet: { path: /readyz, port: metrics } }
          resources:
            requests: { cpu: 50m, memory: 192Mi }
            limits: { memory: 512Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: etc-skolo, mountPath: /etc/skolo }
            - { name: state, mountPath: /var/lib/skolo/router-backup }
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: etc-skolo
          projected:
            sources:
              - configMap: { name: rack }
              - secret: { name: router-backup, optional: true }
        - name: state
          persistentVolumeClaim: { claimName: router-backup }
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
---
apiVersion: v1
kind: Service
metadata: { name: router-backup, namespace: skolo }
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: { app.kubernetes.io/name: router-backup }
  ports: [{ name: http, port: 8003, targetPort: http }]
---
apiVersion: v1
kind: Service
metadata: { name: router-backup-metrics, namespace: skolo }
spec:
  selector: { app.kubernetes.io/name: router-backup }
  ports: [{ name: metrics, port: 20011, targetPort: metrics }]
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: { name: apps-sign-in, namespace: skolo }
spec: { basicAuth: { secret: apps-users } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: router-backup
  namespace: skolo
  annotations: { traefik.ingress.kubernetes.io/router.middlewares: skolo-apps-sign-in@kubernetescrd }
spec:
  rules:
    - host: backups
      http:
        paths: [{ path: /, pathType: Prefix, backend: { service: { name: router-backup, port: { name: http } } } }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules: [{ apiGroups: [""], resources: [nodes], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: swarming-client, namespace: skolo-node }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: swarming-client, namespace: skolo-node }
spec:
  updateStrategy: { rollingUpdate: { maxUnavailable: 100% } }
  selector: { matchLabels: { app.kubernetes.io/name: swarming-client } }
  template:
    metadata: { labels: { app.kubernetes.io/name: swarming-client } }
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - { key: node-restriction.kubernetes.io/skolo-jumphost, operator: DoesNotExist }
                  - { key: node-role.kubernetes.io/control-plane, operator: DoesNotExist }
      hostNetwork: true
      priorityClassName: system-cluster-critical
      serviceAccountName: swarming-client
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 7350
      containers:
        - name: swarming-client
          image: registry.example.com/skolo/swarming-client:2026-11-20T22_40_05Z-ann-295cca0-clean
          imagePullPolicy: IfNotPresent
          terminationMessagePolicy: FallbackToLogsOnError
          ports: [{ name: http, containerPort: 11001 }, { name: metrics, containerPort: 20014 }]
          startupProbe: { httpGet: { path: /healthz, port: metrics } }
          livenessProbe: { httpGet: { path: /healthz, port: metrics } }
          readinessProbe: { httpGet: { path: /readyz, port: metrics } }
          resources: { requests: { cpu: 50m, memory: 96Mi } }
          securityContext: { privileged: true, runAsUser: 0 }
          volumeMounts:
            - { name: bot, mountPath: /b/s }
            - { name: adb-key, mountPath: /root/.android }
      volumes:
        - { name: bot, hostPath: { path: /b/s } }
        - { name: adb-key, secret: { secretName: adb-key, optional: true } }
`;
